"""Defects of a whole table: no row is wrong by itself.

Each corpus has one defect, of a responder, a column or a cell that chance picks; between them are
corpora of the same kind without one, in which a detector should stay silent.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from benchmarks.planting.corpus import Planted, Row, sentences, vocabulary

TRIALS = 8
RESPONDERS = ("human", "model-a", "model-b")
_WORDS = vocabulary()


def plain_rows(rng: random.Random, dialogues: int = 80) -> list[Row]:
    """Return `dialogues` with a reply of random words by each responder; nothing is amiss."""
    return [
        {
            "id": f"{who}-{number}",
            "dialogue_id": f"dialogue-{number}",
            "responder": who,
            "response": sentences(rng, _WORDS, count=rng.randint(2, 6)),
            "rating": rng.choice([1, 2, 3]),
            "rater": f"rater-{rng.randrange(12)}",
        }
        for number in range(dialogues)
        for who in RESPONDERS
    ]


def _of(rows: list[Row], who: str) -> list[Row]:
    return [row for row in rows if row["responder"] == who]


def _opener(rows: list[Row], rng: random.Random) -> str:
    who, opener = rng.choice(RESPONDERS), rng.sample(_WORDS, 4)
    for row in rng.sample(_of(rows, who), 12):
        row["response"] = f"{' '.join(opener).capitalize()} {row['response']}"
    return f"{who} {' '.join(opener)}"


def _rare_class(rows: list[Row], rng: random.Random) -> str:
    who, rare = rng.choice(RESPONDERS), rng.choice([1, 2, 3])
    for number, row in enumerate(_of(rows, who)):
        if number and row["rating"] == rare:
            row["rating"] = rng.choice([one for one in (1, 2, 3) if one != rare])
    return f"{who} {rare}"


def _arms(rows: list[Row], rng: random.Random) -> str:
    for row in rows:
        if rng.random() < 0.99:
            row["rater"] = f"{row['rater']}-of-{row['responder']}"
    return "table"


def _copy_column(rows: list[Row], rng: random.Random) -> str:
    for row in rows:
        row["note"] = " ".join(rng.sample(_WORDS, 2))
        row["other_note"] = row["note"] if rng.random() < 0.8 else rng.choice(_WORDS)
        row["copied_note"] = row["note"] if rng.random() < 0.98 else None
    return "note = copied_note"


def _coded(rows: list[Row], of: dict[str, str]) -> None:
    """Give each reply a code per sentence; of a responder in `of`, per sentence of another's."""
    said = {(row["dialogue_id"], row["responder"]): row["response"] for row in rows}
    for row in rows:
        whose = of.get(row["responder"], row["responder"])
        row["codes"] = ["Support"] * said[row["dialogue_id"], whose].count(".")


def _foreign_codes(rows: list[Row], rng: random.Random) -> str:
    owner, other = rng.sample(RESPONDERS, 2)
    _coded(rows, {owner: other})
    return f"{owner} {owner} -> {other}"


def _thin_cell(rows: list[Row], rng: random.Random) -> str:
    """Give every cell of emotion x length x responder ten rows, one of them two."""
    cells = [
        (mood, size, who)
        for mood in ("angry", "lonely", "proud")
        for size in ("short", "long")
        for who in RESPONDERS
    ]
    thin = rng.choice(cells)
    others = rng.sample([cell for cell in cells if cell[1] != thin[1]], 2)
    rows.clear()
    for mood, size, who in cells:
        # What the thin cell lacks in one length, others lack in the other: the median stays.
        cell = (mood, size, who)
        for number in range(2 if cell == thin else 6 if cell in others else 10):
            said = sentences(rng, _WORDS, count=1 if size == "short" else 5)
            name = f"{mood}-{size}-{who}-{number}"
            rows.append({"id": name, "emotion": mood, "responder": who, "response": said})
    return f"{thin[2]} {thin[0]} x - x {thin[1]} x {thin[2]}"


def _few_words(rows: list[Row], rng: random.Random) -> str:
    who, few = rng.choice(RESPONDERS), rng.sample(_WORDS, 40)
    for row in _of(rows, who):
        row["response"] = sentences(rng, few, count=4)
    return who


def _long_words(rows: list[Row], rng: random.Random) -> str:
    who, long = rng.choice(RESPONDERS), sorted(_WORDS, key=len)[-80:]
    for row in _of(rows, who):
        row["response"] = sentences(rng, long, count=1, length=(25, 35))
    return who


_KINDS: dict[str, Callable[[list[Row], random.Random], str]] = {
    "stock_openers": _opener,
    "class_balance": _rare_class,
    "arm_confounding": _arms,
    "column_copies": _copy_column,
    "codes_fit": _foreign_codes,
    "coverage_cells": _thin_cell,
    "lexical_diversity": _few_words,
    "readability": _long_words,
}


def plant_tables(seed: int = 0) -> Iterator[Planted]:
    """Yield TRIALS corpora with each defect, and as many without where silence means something."""
    rng = random.Random(seed)
    for detector, plant in _KINDS.items():
        for _ in range(TRIALS):
            rows = plain_rows(rng)
            name = plant(rows, rng)
            yield Planted(rows, {detector: {name}})
    silent = [name for name in _KINDS if name not in ("lexical_diversity", "readability")]
    for _ in range(TRIALS):
        rows = plain_rows(rng)
        for row in rows:
            row["emotion"] = rng.choice(["angry", "proud"])
        _coded(rows, {})
        yield Planted(rows, {name: set() for name in silent})
