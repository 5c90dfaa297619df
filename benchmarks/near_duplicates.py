"""Claim: near-duplicates at 0.7 of rensa's own rate or better, recall and precision 0.99.

10,000 replies of 45 to 110 random words and copies of 1,000 of them with 4 to 15% of the words
edited. Rival: rensa alone on three-word shingles (its usual setting), sketches and look-up, without
the exact check that ours adds.
"""

from __future__ import annotations

from benchmarks.harness import Measurement, in_process, peak_mib, stopwatch
from benchmarks.planting.copies import random_replies, with_near_copies

THRESHOLD = 0.5
REPEATS = 3


def run() -> list[Measurement]:
    """Measure rate, memory, recall and precision; the rival has the same texts."""
    ours = in_process("benchmarks.near_duplicates", "measure_ours")
    theirs = in_process("benchmarks.near_duplicates", "measure_rensa")
    rows = int(ours["rows"])
    rate, rival_rate = rows / ours["seconds"], rows / theirs["seconds"]
    return [
        Measurement(
            "near_duplicates",
            rate,
            "texts/s",
            rival="rensa alone, 3-word shingles",
            ratio=rate / rival_rate,
            rows=rows,
            peak_mib=ours["peak_mib"],
        ),
        Measurement("near_duplicates recall", ours["recall"], "share", rows=rows),
        Measurement("near_duplicates precision", ours["precision"], "share", rows=rows),
    ]


def measure_ours() -> dict[str, float]:
    """Return the best of three runs, and how many planted pairs it found."""
    from pipeline.near_duplicates import near_duplicates

    texts, planted = with_near_copies(random_replies(10_000, seed=1), 1_000, seed=2)
    seconds = []
    for _ in range(REPEATS):
        with stopwatch() as clock:
            pairs = near_duplicates(texts, threshold=THRESHOLD)
        seconds.append(clock())
    found = {(pair.left, pair.right) for pair in pairs}
    return {
        "rows": len(texts),
        "seconds": min(seconds),
        "recall": len(found & planted) / len(planted),
        "precision": len(found & planted) / len(found),
        "peak_mib": peak_mib(),
    }


def measure_rensa() -> dict[str, float]:
    """Return the best of three runs of rensa by itself."""
    from rensa import RMinHash, RMinHashLSH

    texts, _ = with_near_copies(random_replies(10_000, seed=1), 1_000, seed=2)
    seconds = []
    for _ in range(REPEATS):
        with stopwatch() as clock:
            sets = []
            for text in texts:
                words = text.lower().split()
                sets.append({" ".join(words[at : at + 3]) for at in range(len(words) - 2)})
            sketches = RMinHash.from_token_sets([list(one) for one in sets], 128, 42)
            index = RMinHashLSH(threshold=THRESHOLD, num_perm=128, num_bands=32)
            index.insert_many(sketches)
            index.query_all(sketches)
        seconds.append(clock())
    return {"seconds": min(seconds), "peak_mib": peak_mib()}
