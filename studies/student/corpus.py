"""What the students of the study are taught: direct corpora of their half of the dialogues."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pipeline.corpora.candidates import Candidate
from pipeline.corpora.conversation import PromptParams
from pipeline.corpora.preference import PairFilter, direct_pairs
from pipeline.corpora.sft import direct_examples
from pipeline.records import PreferencePair, SFTExample
from pipeline.sources import Sourced, get_source

R = TypeVar("R", SFTExample, PreferencePair)

PROMPT = PromptParams(mean_words=28, max_words=97)  # the paper's lengths


@dataclass(frozen=True)
class Teachings:
    """The rows of the three trainings; both pair corpora have the same size."""

    sft: tuple[SFTExample, ...]
    strict: tuple[PreferencePair, ...]
    authors: tuple[PreferencePair, ...]


def candidates(dialogues: Iterable[Sourced], ids: Iterable[str]) -> list[Candidate]:
    """Return the dialogues `ids` with their responses, in file order."""
    wanted = set(ids)
    return [
        Candidate(one.exchange, {response.responder: response for response in one.responses})
        for one in dialogues
        if one.exchange.dialogue_id in wanted
    ]


def teachings(half: Sequence[Candidate], *, examples: int, pairs: int, seed: int) -> Teachings:
    """Return `examples` of the pooled direct corpora, and `pairs` of their pairs per filter.

    The published pool repeats the reference response for each teacher; here each response is
    taught once.
    """
    return Teachings(
        sft=_drawn(list(_examples(half)), examples, seed),
        strict=_drawn(list(pooled_pairs(half, "strict")), pairs, seed),
        authors=_drawn(list(pooled_pairs(half, "authors")), pairs, seed),
    )


def pooled_pairs(part: Iterable[Candidate], pair_filter: PairFilter) -> Iterator[PreferencePair]:
    """Yield the pairs of all teachers that the filter keeps."""
    source = get_source("welivita2024")
    for one in part:
        for row in direct_pairs(
            one,
            reference=source.reference_responder,
            teachers=tuple(source.teachers.values()),
            pair_filter=pair_filter,
            prompt=PROMPT,
        ):
            if isinstance(row, PreferencePair):
                yield row


def _examples(half: Iterable[Candidate]) -> Iterator[SFTExample]:
    source, taught = get_source("welivita2024"), set[str]()
    for one in half:
        for row in direct_examples(
            one,
            reference=source.reference_responder,
            teachers=tuple(source.teachers.values()),
            prompt=PROMPT,
        ):
            if isinstance(row, SFTExample) and row.response_id not in taught:
                taught.add(row.response_id)
                yield row


def _drawn(rows: Sequence[R], count: int, seed: int) -> tuple[R, ...]:
    draw = random.Random(seed)  # noqa: S311  a sample is no secret
    return tuple(draw.sample(list(rows), min(count, len(rows))))
