"""What is in a corpus, in numbers: who wrote it, from what, how long it is, which feelings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.records import (
    Exchange,
    Lineage,
    PreferencePair,
    Response,
    SFTExample,
    SplitAssignment,
)
from pipeline.statistics.quantiles import quantiles
from pipeline.storage import file_sha256, read_table
from pipeline.text.words import count_words

# What is counted of every row; the rest is who wrote which side.
NAMED = (
    "splits",
    "emotions",
    "sources",
    "licences",
    "prompts",
    "models",
    "teacher_prompts",
    "flags",
)


@dataclass(frozen=True)
class Origins:
    """What the rows of a corpus are made from, by id."""

    emotion: Mapping[str, str | None]
    split: Mapping[str, str]
    responder: Mapping[str, str]

    @classmethod
    def read(cls, exchanges: Path, splits: Path, responses: Iterable[Path]) -> Origins:
        """Read the tables of a build."""
        return cls(
            emotion={one.id: one.emotion for one in read_table(exchanges, Exchange)},
            split={one.exchange_id: one.split for one in read_table(splits, SplitAssignment)},
            responder={
                one.id: one.responder for path in responses for one in read_table(path, Response)
            },
        )


@dataclass
class _Tally:
    rows: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    words: dict[str, Counter[int]] = field(default_factory=dict)

    def count(self, what: str, value: str | None) -> None:
        self.counts.setdefault(what, Counter())[value or "not stated"] += 1

    def measure(self, what: str, text: str) -> None:
        self.words.setdefault(what, Counter())[count_words(text)] += 1

    def note(self, exchange_id: str, lineage: Lineage, origins: Origins) -> None:
        self.rows += 1
        self.count("splits", origins.split.get(exchange_id))
        self.count("emotions", origins.emotion.get(exchange_id))
        self.count("sources", lineage.source)
        self.count("licences", lineage.licence)
        self.count("prompts", lineage.prompt_id)
        if lineage.model:
            self.count("models", lineage.model)
            self.count("teacher_prompts", lineage.teacher_prompt_id)
        for flag in lineage.flags:
            self.count("flags", flag)

    def figures(self, path: Path) -> dict[str, Any]:
        responders = [name for name in self.counts if name not in NAMED]
        return {
            "rows": self.rows,
            "bytes": path.stat().st_size,
            "sha256": file_sha256(path),
            **{name: _sorted(self.counts.get(name, {})) for name in NAMED},
            "responders": {name: _sorted(self.counts[name]) for name in responders},
            "words": {name: quantiles(found) for name, found in self.words.items()},
        }


def describe_sft(path: Path, origins: Origins) -> dict[str, Any]:
    """Return the figures of a table of supervised examples; words are of the last turn."""
    tally = _Tally()
    for row in read_table(path, SFTExample):
        tally.note(row.exchange_id, row.lineage, origins)
        tally.count("response", origins.responder.get(row.response_id))
        tally.measure("response", row.messages[-1].content)
    return tally.figures(path)


def describe_pairs(path: Path, origins: Origins) -> dict[str, Any]:
    """Return the figures of a table of preference pairs, and how often the longer side won."""
    tally = _Tally()
    longer = 0
    for row in read_table(path, PreferencePair):
        tally.note(row.exchange_id, row.lineage, origins)
        sides = {"chosen": row.chosen, "rejected": row.rejected}
        for name, key in (("chosen", row.chosen_id), ("rejected", row.rejected_id)):
            tally.count(name, origins.responder.get(key))
            tally.measure(name, sides[name][0].content)
        chosen, rejected = (count_words(side[0].content) for side in sides.values())
        longer += chosen > rejected
    return {**tally.figures(path), "chosen_is_longer": longer}


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
