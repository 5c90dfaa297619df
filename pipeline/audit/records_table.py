"""The project's own tables as `AuditTable`s; row ids are record ids, so `explain` knows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pipeline.audit.table import AuditPair, AuditTable, Text
from pipeline.records import (
    Exchange,
    PreferencePair,
    Response,
    SFTExample,
    SplitAssignment,
    text_of_turns,
)
from pipeline.storage import read_table


class Origins:
    """What every corpus row goes back to: exchanges, responses and their split."""

    def __init__(self, exchanges: Path, responses: Iterable[Path], splits: Path) -> None:
        sides = {one.exchange_id: one.split for one in read_table(splits, SplitAssignment)}
        self.said = {
            one.id: utterance_text(one, sides.get(one.id))
            for one in read_table(exchanges, Exchange)
        }
        self.responses = {one.id: one for path in responses for one in read_table(path, Response)}

    def reply(self, response_id: str, exchange_id: str) -> Text:
        """Return the reply as a text of its own, with all that is known of it."""
        response = self.responses[response_id]
        return replace(
            reply_text(self.said[exchange_id], response),
            rater=response.rater,
            label=None if response.rating is None else str(response.rating),
            rating=None if response.rating is None else float(response.rating),
            codes=None if response.codes is None else tuple(map(str, response.codes)),
        )


def utterance_text(exchange: Exchange, split: str | None = None) -> Text:
    """Return an exchange's utterance as the audit sees it, with what was said before it."""
    return Text(
        row_id=exchange.id,
        text=exchange.utterance,
        column="utterance",
        speaks="speaker",
        dialogue_id=exchange.dialogue_id,
        group=exchange.collection_id,
        split=split,
        history=text_of_turns(exchange.transcript()[:-1]),
        situation=exchange.situation,
        emotion=exchange.emotion,
        sentiment=exchange.sentiment,
    )


def reply_text(utterance: Text, response: Response) -> Text:
    """Return a response as the audit sees it, without what people said of it."""
    return replace(
        utterance,
        row_id=response.id,
        text=response.text,
        column="response",
        speaks="listener",
        responder=response.responder,
        prompt=utterance.text,
    )


_COLUMNS: Mapping[str, str] = {"text": "response", "prompt": "utterance", "label": "rating"}


def source_table(origins: Origins, name: str) -> AuditTable:
    """Return all exchanges and responses as one table; a row is a response."""
    replies = [
        origins.reply(response.id, response.exchange_id) for response in origins.responses.values()
    ]
    codes: dict[str, dict[str, object]] = {}
    for reply in replies:
        if reply.codes is not None and reply.dialogue_id:
            codes.setdefault(f"codes of {reply.responder}", {})[reply.dialogue_id] = reply.codes
    dialogues = sorted({dialogue for column in codes.values() for dialogue in column})
    return AuditTable(
        name=name,
        rows=len(replies),
        texts=[*origins.said.values(), *replies],
        raw={
            column: [None if (code := values.get(one)) is None else list(code) for one in dialogues]  # type: ignore[call-overload]
            for column, values in sorted(codes.items())
        },
        columns=_COLUMNS,
    )


def sft_table(origins: Origins, path: Path, name: str) -> AuditTable:
    """Return one supervised corpus; a row is an example."""
    texts = []
    for example in read_table(path, SFTExample):
        reply = origins.reply(example.response_id, example.exchange_id)
        text = example.messages[-1].content
        texts.append(replace(reply, row_id=example.id, text=text, column="messages"))
    return AuditTable(name=name, rows=len(texts), texts=texts, columns=_COLUMNS)


def preference_table(origins: Origins, path: Path, name: str) -> AuditTable:
    """Return one corpus of pairs; a row is a pair."""
    texts, pairs = [], []
    for pair in read_table(path, PreferencePair):
        said = origins.said[pair.exchange_id]
        sides = {"chosen": pair.chosen_id, "rejected": pair.rejected_id}
        texts += [
            replace(origins.reply(side, pair.exchange_id), row_id=pair.id, column=column)
            for column, side in sides.items()
        ]
        pairs.append(
            AuditPair(
                row_id=pair.id,
                chosen=pair.chosen[0].content,
                rejected=pair.rejected[0].content,
                prompt="\n".join(message.content for message in pair.prompt),
                chosen_rating=pair.chosen_rating,
                rejected_rating=pair.rejected_rating,
                dialogue_id=said.dialogue_id,
                split=said.split,
            )
        )
    columns = {"chosen": "chosen", "rejected": "rejected", **_COLUMNS}
    return AuditTable(name=name, rows=len(pairs), texts=texts, pairs=pairs, columns=columns)
