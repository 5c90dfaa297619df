"""Clean corpora made of the embedded sample, and how well what was planted in them is found."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).resolve().parents[2] / "datasets" / "sample" / "exchanges.jsonl"
Row = dict[str, Any]
PER_KIND = 20
_HARSH = {"Advise without Permission", "Confront", "Direct", "Warn", "Self-Disclose"}


@dataclass
class Planted:
    """A corpus with defects.

    `at` holds per detector what it should name: row ids, or, for a fact about the whole table,
    the responder, column or rule that was tampered with. An empty set is a corpus in which the
    detector should stay silent. `against` is a second file, to look for leakage.
    """

    rows: list[Row]
    at: dict[str, set[str]] = field(default_factory=dict)
    against: list[Row] = field(default_factory=list)

    def add(self, detector: str, row: Row) -> None:
        """Append a row that `detector` should name."""
        self.rows.append(row)
        self.at.setdefault(detector, set()).add(row["id"])


def exchanges() -> list[Row]:
    """Return the exchanges of the embedded sample."""
    return [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]


def clean_rows(seed: int = 0) -> list[Row]:
    """Return replies of the sample, one row each, with ratings that raters gave at random.

    They are those that the sample's authors rated 2 or 3 and gave no code of advice, confrontation
    or self-disclosure.
    """
    rng = random.Random(seed)
    rows: list[Row] = []
    for exchange in exchanges():
        for reply in exchange["responses"]:
            if reply["rating"] < 2 or _HARSH & set(reply["codes"]):
                continue
            rows.append(
                {
                    "id": f"clean-{len(rows):05d}",
                    "dialogue_id": exchange["id"],
                    "split": "test" if exchange["id"].endswith("3") else "train",
                    "emotion": exchange["emotion"],
                    "situation": exchange["situation"],
                    "prompt": exchange["utterance"],
                    "response": " ".join(reply["sentences"]),
                    "responder": "human" if reply["responder"] == "listener_a" else "model",
                    "rater": f"worker-{rng.randrange(6)}",
                    "rating": rng.choice([1, 2, 3]),
                    "original": None,
                }
            )
    return rows


def vocabulary() -> list[str]:
    """Return the words of the clean replies, in order of the alphabet."""
    letters = (word.strip(".,;:!?\"'()").lower() for row in clean_rows() for word in _words(row))
    return sorted({word for word in letters if word.isalpha()})


def _words(row: Row) -> list[str]:
    return str(row["response"]).split()


def sentences(
    rng: random.Random, words: list[str], *, count: int, length: tuple[int, int] = (5, 12)
) -> str:
    """Return `count` sentences of random words: for defects that have nothing to do with sense."""
    said = (" ".join(rng.choices(words, k=rng.randint(*length))) for _ in range(count))
    return " ".join(f"{one.capitalize()}." for one in said)


def score(
    audited: Iterable[tuple[Planted, dict[str, set[str]]]],
) -> Iterator[tuple[str, float, float, int]]:
    """Yield (detector, recall, precision, planted) of corpora and what was named in each.

    For precision a report counts as wrong where nothing was planted; a row planted with another
    defect may rightly have this one too, and does not count.
    """
    hits: dict[str, int] = {}
    wanted: dict[str, int] = {}
    wrong: dict[str, int] = {}
    for planted, named in audited:
        anywhere = set().union(*planted.at.values())
        for detector, names in planted.at.items():
            found = named.get(detector, set())
            hits[detector] = hits.get(detector, 0) + len(found & names)
            wanted[detector] = wanted.get(detector, 0) + len(names)
            wrong[detector] = wrong.get(detector, 0) + len(found - anywhere)
    for detector in sorted(wanted):
        reported = hits[detector] + wrong[detector]
        precision = hits[detector] / reported if reported else 0.0
        yield detector, hits[detector] / wanted[detector], precision, wanted[detector]
