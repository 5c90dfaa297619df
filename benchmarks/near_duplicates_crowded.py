"""Claim: n texts of one template cost about n checks, so their time grows as their number does.

2,500, 10,000 and 40,000 replies that differ in two words: near-duplicates, and leaks between a
test side and a training side. Floor: the signatures of the same texts, without which nothing could
be found, in the same process; the ratio is our time over it, so that a ratio that stays is a time
that grows in step.
"""

from __future__ import annotations

from benchmarks.harness import Measurement, in_process, peak_mib, stopwatch
from benchmarks.planting.copies import random_replies

SIZES = (2_500, 10_000, 40_000)
THRESHOLD = 0.6


def run() -> list[Measurement]:
    """Measure the time and memory of each size, each in a process of its own."""
    measured = []
    for kind in ("whole", "sides"):
        for rows in SIZES:
            ours = in_process("benchmarks.near_duplicates_crowded", "measure", kind, str(rows))
            measured.append(
                Measurement(
                    f"near_duplicates_crowded {kind}",
                    rows / ours["seconds"],
                    "texts/s",
                    rival="the floor's time: signatures alone",
                    ratio=ours["seconds"] / ours["floor"],
                    rows=rows,
                    peak_mib=ours["peak_mib"],
                    note=f"{ours['pairs']:.0f} pairs returned",
                )
            )
    return measured


def crowd(rows: int) -> list[str]:
    """Return replies of one template that differ in two words."""
    return [
        f"I am sorry that your day went like that; what they said about {words} must have hurt, "
        "and I am here to listen to you for as long as you want to talk about it."
        for words in random_replies(rows, seed=1, words=(2, 2))
    ]


def measure(kind: str, rows: str) -> dict[str, float]:
    """Return the seconds of the search and of its floor; every fifth text is a test text."""
    from pipeline.near_duplicates import near_duplicates, normalise
    from pipeline.near_duplicates.signatures import signatures_of

    texts = crowd(int(rows))
    sides = [position % 5 == 0 for position in range(len(texts))] if kind == "sides" else None
    signatures_of(texts[:10])  # the libraries are loaded outside the clocks
    with stopwatch() as floor:
        signatures_of([normalise(text) for text in texts])
    with stopwatch() as clock:
        pairs = near_duplicates(texts, threshold=THRESHOLD, sides=sides)
    return {
        "seconds": clock(),
        "floor": floor(),
        "pairs": float(len(pairs)),
        "peak_mib": peak_mib(),
    }
