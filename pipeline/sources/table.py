"""A person's own corpus: any CSV, JSON Lines or Parquet file whose columns params.yaml maps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError, RowError
from pipeline.records import Exchange, Lineage, RawLocation, Rejection, Response, content_id
from pipeline.sources.base import (
    ReadOptions,
    Source,
    Sourced,
    TableColumns,
    empty_cell,
    read_rating,
    unusable,
)
from pipeline.sources.licences import NONE_STATED, check_licence
from pipeline.sources.rows import iter_rows


def read(path: Path, options: ReadOptions) -> Iterator[Sourced | Rejection]:
    """Yield one exchange per row; a responder without text and rating has no response there."""
    if options.columns is None:
        raise PipelineError(
            "ingest.columns is missing: source `table` needs to know which column holds what\n"
            f"Let `distillery init {path}` write it."
        )
    columns = options.columns
    licence = check_licence(columns.licence)
    seen = set[str]()
    for row, values in iter_rows(path, _needed(columns)):
        situation = _cell(values, columns.situation)
        utterance = _cell(values, columns.utterance)
        named = _cell(values, columns.dialogue_id)
        if not utterance:
            raise empty_cell(path, row, columns.utterance)
        if columns.dialogue_id and not named:
            raise empty_cell(path, row, columns.dialogue_id)
        exchange_id = content_id("exchange", "table", named, situation, utterance)
        if exchange_id in seen or (named and named in seen):
            if named:
                raise RowError(
                    path,
                    row,
                    f"{columns.dialogue_id} {named} is there a second time",
                    hint="Ids must be unique: drop one of the rows or rename it.",
                )
            yield _rejection(exchange_id, "duplicate_exchange", f"row {row} repeats an earlier one")
            continue
        seen.update({exchange_id, named} if named else {exchange_id})
        emotion = _cell(values, columns.emotion)
        texts = (named, emotion, situation, utterance)
        problems = filter(None, (unusable(text, options.max_chars) for text in texts))
        if problem := next(problems, None):
            yield _rejection(exchange_id, *problem)
            continue
        lineage = Lineage(source="table", licence=licence, operation="ingest")
        exchange = Exchange(
            id=exchange_id,
            dialogue_id=named or exchange_id,
            emotion=emotion or None,
            situation=situation,
            utterance=utterance,
            raw=RawLocation(file=path.name, row=row),
            lineage=lineage,
        )
        answers = list(_responses(path, row, values, exchange, options))
        yield from (one for one in answers if isinstance(one, Rejection))
        yield Sourced(exchange, tuple(one for one in answers if isinstance(one, Response)))


def _responses(
    path: Path,
    row: int,
    values: dict[str, Any],
    exchange: Exchange,
    options: ReadOptions,
) -> Iterator[Response | Rejection]:
    assert options.columns is not None  # read() has checked
    for responder, mapped in options.columns.responses.items():
        text = _cell(values, mapped.text)
        rating, rater = _cell(values, mapped.rating), _cell(values, mapped.rater)
        if not text and not rating:
            continue
        if not text:
            raise empty_cell(path, row, mapped.text)
        response_id = content_id("response", exchange.id, responder, text)
        if problem := unusable(text, options.max_chars):
            yield _rejection(response_id, *problem, parents=(exchange.id,))
            continue
        yield Response(
            id=response_id,
            exchange_id=exchange.id,
            responder=responder,
            text=text,
            rating=read_rating(path, row, str(mapped.rating), rating) if rating else None,
            rater=options.raters.pseudonym(rater) if rater else None,
            lineage=exchange.lineage.model_copy(update={"parents": (exchange.id,)}),
        )


def _needed(columns: TableColumns) -> list[str]:
    per_responder = (
        name for one in columns.responses.values() for name in (one.text, one.rating, one.rater)
    )
    named = (columns.utterance, columns.situation, columns.dialogue_id, columns.emotion)
    return list(dict.fromkeys(name for name in (*named, *per_responder) if name))


def _cell(values: dict[str, Any], column: str | None) -> str:
    value = values[column] if column else None
    return "" if value is None else str(value).strip()


def _rejection(
    record_id: str, reason: str, detail: str, *, parents: tuple[str, ...] = ()
) -> Rejection:
    return Rejection(
        record_id=record_id, stage="ingest", reason=reason, detail=detail, parents=parents
    )


TABLE = Source(
    name="table",
    title="Your own corpus, columns mapped in params.yaml",
    licence=NONE_STATED,
    citation="",
    synthetic="not stated",
    read=read,
    reference_responder="reference",
    own=True,
)
