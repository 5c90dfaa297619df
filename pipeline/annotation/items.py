"""What annotators see: an exchange with one response, or with two to compare."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pipeline.errors import PipelineError
from pipeline.records import Exchange, PreferencePair, Response, Selected, Suggestion
from pipeline.storage import read_json_lines, read_table

Kind = Literal["responses", "pairs"]
Message = dict[str, str]


@dataclass(frozen=True)
class Item:
    """One record for people. `hidden` is stored with it and shown to no annotator."""

    id: str
    fields: dict[str, Any]
    wanted: int = 1
    blind: bool = True
    suggestions: tuple[Suggestion, ...] = ()
    hidden: dict[str, str] = field(default_factory=dict)


def response_items(
    selection: Path, exchanges: Path, responses: Path, suggestions: Sequence[Path] = ()
) -> list[Item]:
    """Return the selected responses in order of rank; who wrote them is left out."""
    selected = {row.item_id: row for row in read_table(selection, Selected)}
    proposed = _by_item(suggestions)
    texts = {row.id: row.text for row in read_table(responses, Response) if row.id in selected}
    wanted = {row.exchange_id for row in selected.values()}
    contexts = {row.id: row for row in read_table(exchanges, Exchange) if row.id in wanted}
    if missing := sorted(set(selected) - set(texts)):
        raise PipelineError(
            f"{selection}: {missing[0]} is not in {responses} ({len(missing)} such)\n"
            "Select anew: dvc repro select_annotations"
        )
    return [
        Item(
            id=row.item_id,
            fields=_response_fields(contexts[row.exchange_id], texts[row.item_id]),
            wanted=row.annotators_wanted,
            blind=row.blind,
            suggestions=proposed.get(row.item_id, ()),
        )
        for row in sorted(selected.values(), key=lambda row: row.rank)
    ]


def _response_fields(exchange: Exchange, text: str) -> dict[str, Any]:
    chat = [*_chat(exchange), _message("listener", text)]
    return {"situation": exchange.situation or "(none)", "chat": chat, "response": text}


def _chat(exchange: Exchange) -> list[Message]:
    return [_message(turn.role, turn.text) for turn in exchange.transcript()]


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def pair_items(pairs: Path, exchanges: Path, *, limit: int, wanted: int = 1) -> list[Item]:
    """Return up to `limit` preference pairs; which side is A depends on the pair's id alone.

    People see what was said, not the pair's prompt, in which it may stand among instructions.
    """
    rows = sorted(read_table(pairs, PreferencePair), key=lambda row: _hash(row.id))[:limit]
    wanted_ids = {row.exchange_id for row in rows}
    contexts = {row.id: row for row in read_table(exchanges, Exchange) if row.id in wanted_ids}
    if missing := sorted(wanted_ids - set(contexts)):
        raise PipelineError(
            f"{pairs}: exchange {missing[0]} is not in {exchanges} ({len(missing)} such)\n"
            "Give the exchanges that the pairs answer: --exchanges FILE"
        )
    return [_pair_item(row, contexts[row.exchange_id], wanted) for row in rows]


def _pair_item(pair: PreferencePair, exchange: Exchange, wanted: int) -> Item:
    sides = {"chosen": pair.chosen[0].content, "rejected": pair.rejected[0].content}
    first, second = sorted(sides) if _hash(pair.id)[-1] % 2 else sorted(sides, reverse=True)
    situation = [_message("situation", exchange.situation)] if exchange.situation else []
    return Item(
        id=pair.id,
        fields={
            "chat": [*situation, *_chat(exchange)],
            "response_a": sides[first],
            "response_b": sides[second],
        },
        wanted=wanted,
        hidden={"a": first, "b": second},
    )


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def _by_item(paths: Iterable[Path]) -> dict[str, tuple[Suggestion, ...]]:
    found: dict[str, tuple[Suggestion, ...]] = {}
    for path in paths:
        for row in _read_suggestions(path):
            found[row.item_id] = (*found.get(row.item_id, ()), row)
    return found


def _read_suggestions(path: Path) -> Iterator[Suggestion]:
    return read_json_lines(path, Suggestion)
