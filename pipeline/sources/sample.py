"""The embedded sample: 96 exchanges in JSON Lines, three rated and coded responses each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.errors import RowError
from pipeline.records import (
    BehaviourCode,
    Exchange,
    Lineage,
    NonBlank,
    RawLocation,
    Record,
    Rejection,
    Response,
    content_id,
)
from pipeline.sources.base import ReadOptions, Source, Sourced
from pipeline.storage import read_json_lines

LICENCE = "CC0-1.0"
Style = Literal["brief", "advice", "warm"]


class SampleResponse(Record):
    """One response; `codes` has one entry per sentence."""

    responder: NonBlank
    style: Style
    rating: int = Field(ge=1, le=3)
    sentences: tuple[NonBlank, ...] = Field(min_length=1)
    codes: tuple[BehaviourCode, ...]

    @model_validator(mode="after")
    def _one_code_per_sentence(self) -> Self:
        if len(self.codes) != len(self.sentences):
            raise ValueError(f"{len(self.codes)} codes for {len(self.sentences)} sentences")
        return self


class SampleExchange(Record):
    """One line of `datasets/sample/exchanges.jsonl`."""

    id: NonBlank
    emotion: NonBlank
    situation: NonBlank
    utterance: NonBlank
    responses: tuple[SampleResponse, ...] = Field(min_length=1)


def read(path: Path, options: ReadOptions) -> Iterator[Sourced | Rejection]:
    """Yield the sample's exchanges; the file is ours, so anything odd in it is an error."""
    del options
    seen = set[str]()
    for row, line in enumerate(read_json_lines(path, SampleExchange), start=1):
        if line.id in seen:
            raise RowError(path, row, f"id {line.id} is there a second time", hint="Rename it.")
        seen.add(line.id)
        exchange_id = content_id("exchange", "sample", line.id, line.situation, line.utterance)
        lineage = Lineage(source="sample", licence=LICENCE, operation="ingest")
        exchange = Exchange(
            id=exchange_id,
            dialogue_id=line.id,
            emotion=line.emotion,
            situation=line.situation,
            utterance=line.utterance,
            raw=RawLocation(file=path.name, row=row),
            lineage=lineage,
        )
        responses = []
        for response in line.responses:
            text = " ".join(response.sentences)
            responses.append(
                Response(
                    id=content_id("response", exchange_id, response.responder, text),
                    exchange_id=exchange_id,
                    responder=response.responder,
                    text=text,
                    style=response.style,
                    rating=response.rating,
                    codes=response.codes,
                    lineage=lineage.model_copy(update={"parents": (exchange_id,)}),
                )
            )
        yield Sourced(exchange, tuple(responses))


SAMPLE = Source(
    name="sample",
    title="The embedded sample: 96 exchanges, three responses each",
    licence=LICENCE,
    citation="Composed with a language model for this project; no human rater",
    synthetic="all",
    read=read,
    reference_responder="listener_a",
    teachers={"listener_b": "listener_b", "listener_c": "listener_c"},
)
