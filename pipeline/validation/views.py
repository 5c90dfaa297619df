"""Flat views of the build's tables: what the suites look at.

Great Expectations checks columns; our records are nested. A view spells each claim about a nested
value as a column of its own: `roles` is "system user assistant", `sides_differ` is a boolean.
Nothing is validated on the way in, else a defect would raise here instead of being counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
from pydantic import BaseModel

from pipeline.records import BehaviourCode
from pipeline.storage import arrow_schema, open_parquet
from pipeline.text.words import count_words

if TYPE_CHECKING:
    from pandas import DataFrame

Row: TypeAlias = dict[str, Any]
CODES = frozenset(code.value for code in BehaviourCode)


@dataclass(frozen=True)
class Build:
    """What the rows of a build refer to: exchanges and responses by id."""

    dialogue_of: Mapping[str, str] = field(default_factory=dict)
    split_of: Mapping[str, str] = field(default_factory=dict)
    exchange_of: Mapping[str, str] = field(default_factory=dict)


def schema_view(path: Path, record_type: type[BaseModel]) -> DataFrame:
    """Return one row per column: `column`, `expected` and `found` Arrow type ("" for none)."""
    import pandas as pd

    expected, found = arrow_schema(record_type), open_parquet(path).schema_arrow
    names = [*expected.names, *(name for name in found.names if name not in expected.names)]
    return pd.DataFrame(
        {
            "column": names,
            "expected": [_type_name(expected, name) for name in names],
            "found": [_type_name(found, name) for name in names],
        }
    )


def _type_name(schema: pa.Schema, name: str) -> str:
    index = schema.get_field_index(name)
    # Parquet calls the items of a list "element", Arrow "item".
    return "" if index < 0 else str(schema.field(index).type).replace("element: ", "item: ")


def rows_view(path: Path, flatten: Callable[[Row], Row]) -> DataFrame:
    """Return the table at `path` with `flatten` applied to each row."""
    import pandas as pd

    flat = [
        flatten(values)
        for batch in open_parquet(path).iter_batches()
        for values in batch.to_pylist()
    ]
    frame = pd.DataFrame(flat, columns=list(flatten({})), dtype=object)
    for column in ("words", "rejected_words"):
        if column in frame:
            frame[column] = frame[column].astype(int)
    return frame


def exchange_row(row: Row) -> Row:
    """Flatten an `Exchange`."""
    turns = row.get("history") or []
    return {
        "id": row.get("id"),
        "dialogue_id": row.get("dialogue_id"),
        "utterance": row.get("utterance"),
        "words": _length(row.get("utterance")),
        "emotion": row.get("emotion"),
        "sentiment": row.get("sentiment"),
        "history_is_filled": all(is_filled(turn.get("text")) for turn in turns),
    }


def response_row(row: Row, build: Build) -> Row:
    """Flatten a `Response`."""
    return {
        "id": row.get("id"),
        "exchange_id": row.get("exchange_id"),
        "responder": row.get("responder"),
        "text": row.get("text"),
        "words": _length(row.get("text")),
        "rating": row.get("rating"),
        "rater": row.get("rater"),
        "codes_are_known": set(row.get("codes") or ()) <= CODES,
        "exchange_is_known": row.get("exchange_id") in build.dialogue_of,
    }


def sft_row(row: Row, build: Build) -> Row:
    """Flatten an `SFTExample`; `target` is what the student learns to say."""
    messages = row.get("messages") or []
    target = messages[-1].get("content") if messages else None
    return {
        "id": row.get("id"),
        "roles": roles(messages),
        "target": target,
        "words": _length(target),
        "messages_are_filled": all(is_filled(one.get("content")) for one in messages),
        "split": build.split_of.get(str(row.get("exchange_id"))),
        "answers_its_exchange": build.exchange_of.get(str(row.get("response_id")))
        == row.get("exchange_id"),
    }


def pair_row(row: Row, build: Build) -> Row:
    """Flatten a `PreferencePair`."""
    sides = {name: row.get(name) or [] for name in ("chosen", "rejected")}
    text = {name: one[-1].get("content") if one else None for name, one in sides.items()}
    better, worse = row.get("chosen_rating"), row.get("rejected_rating")
    exchange = row.get("exchange_id")
    return {
        "id": row.get("id"),
        "prompt_roles": roles(row.get("prompt") or []),
        "chosen_roles": roles(sides["chosen"]),
        "rejected_roles": roles(sides["rejected"]),
        "chosen": text["chosen"],
        "rejected": text["rejected"],
        "words": _length(text["chosen"]),
        "rejected_words": _length(text["rejected"]),
        "chosen_rating": better,
        "rejected_rating": worse,
        "prompt_is_filled": all(is_filled(one.get("content")) for one in row.get("prompt") or []),
        "sides_differ": str(text["chosen"]).strip() != str(text["rejected"]).strip(),
        "chosen_is_rated_higher": better is None or worse is None or better > worse,
        "chosen_is_longer": _length(text["chosen"]) > _length(text["rejected"]),
        "sides_answer_one_exchange": all(
            build.exchange_of.get(str(row.get(side))) == exchange
            for side in ("chosen_id", "rejected_id")
        ),
        "split": build.split_of.get(str(exchange)),
    }


def split_view(path: Path, build: Build) -> DataFrame:
    """Flatten the `SplitAssignment`s; groups and dialogues are looked at as wholes."""
    frame = rows_view(path, _split_row)
    frame["dialogue_id"] = [build.dialogue_of.get(str(one)) for one in frame["exchange_id"]]
    frame["exchange_is_known"] = frame["dialogue_id"].notna().astype(object)
    for part in ("group", "dialogue_id"):
        sides = frame.groupby(part)["split"].nunique()
        on_one_side = ~frame[part].isin(sides[sides > 1].index)
        frame[f"{part}_is_on_one_side"] = on_one_side.astype(object)
    return frame


def _split_row(row: Row) -> Row:
    return {name: row.get(name) for name in ("exchange_id", "split", "group")}


def roles(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the roles in order, as in "system user assistant"."""
    return " ".join(str(message.get("role")) for message in messages)


def is_filled(text: object) -> bool:
    """Return whether `text` is text with something to read."""
    return isinstance(text, str) and bool(text.strip())


def _length(text: object) -> int:
    """Return the length in words; 0 where there is no text."""
    return count_words(text) if isinstance(text, str) else 0
