"""EmpatheticDialogues: whole conversations between a speaker and a listener, without ratings.

Each listener turn becomes a response to an exchange with the turns before it as history. Two
shapes are read: the upstream release (the archive, or one of its CSV files) and a table with the
columns Dialog_ID, Type, Actor, Text, Label and emotion, where the row of Type `situation` holds the
situation. Rows of one dialogue stand together in both.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from pipeline.errors import RowError, TableError
from pipeline.records import Exchange, Lineage, RawLocation, Rejection, Response, Turn, content_id
from pipeline.records.exchange import Role
from pipeline.sources.base import ReadOptions, Source, Sourced, label, unusable
from pipeline.sources.rows import Row, csv_rows, iter_rows

NAME = "empathetic_dialogues"
LICENCE = "CC-BY-NC-4.0"
RESPONDER = "human"
_TABLE_COLUMNS = ("Dialog_ID", "Type", "Actor", "Text", "Label", "emotion")
_UPSTREAM_COLUMNS = ("conv_id", "utterance_idx", "context", "prompt", "speaker_idx", "utterance")


@dataclass
class _Dialogue:
    id: str
    row: int
    emotion: str | None
    situation: str = ""
    turns: list[tuple[Role, str]] = field(default_factory=list)

    def add(self, role: Role, text: str) -> None:
        """Add a turn; two turns of the same person in a row are one."""
        if self.turns and self.turns[-1][0] == role:
            text = f"{self.turns.pop()[1]}\n{text}"
        self.turns.append((role, text))


def read(path: Path, options: ReadOptions) -> Iterator[Sourced | Rejection]:
    """Yield one exchange per listener turn that follows a speaker turn."""
    seen = set[str]()
    for file, dialogue in _dialogues(path):
        if dialogue.id in seen:
            raise RowError(
                path,
                dialogue.row,
                f"dialogue id {dialogue.id} comes back after another dialogue",
                hint="The rows of a dialogue must stand together, under one id.",
            )
        seen.add(dialogue.id)
        yield from _exchanges(file, dialogue, options)


def _exchanges(
    file: str, dialogue: _Dialogue, options: ReadOptions
) -> Iterator[Sourced | Rejection]:
    dialogue_id = content_id("dialogue", NAME, dialogue.id)
    said = (text for _, text in dialogue.turns)
    for text in (dialogue.id, dialogue.emotion or "", dialogue.situation, *said):
        if problem := unusable(text, options.max_chars):
            yield _rejection(dialogue_id, *problem)
            return
    history: list[Turn] = []
    found = False
    for (role, text), (answering, answer) in zip(dialogue.turns, dialogue.turns[1:], strict=False):
        if (role, answering) == ("speaker", "listener"):
            found = True
            yield _sourced(file, dialogue, tuple(history), text, answer)
        history.append(Turn(role=role, text=text))
    if not found:
        yield _rejection(dialogue_id, "no_listener_turn", f"{len(dialogue.turns)} turn(s)")


def _rejection(record_id: str, reason: str, detail: str) -> Rejection:
    return Rejection(record_id=record_id, stage="ingest", reason=reason, detail=detail)


def _sourced(
    file: str, dialogue: _Dialogue, history: tuple[Turn, ...], utterance: str, answer: str
) -> Sourced:
    exchange_id = content_id(
        "exchange", NAME, dialogue.id, str(len(history)), dialogue.situation, utterance
    )
    lineage = Lineage(source=NAME, licence=LICENCE, operation="ingest")
    exchange = Exchange(
        id=exchange_id,
        dialogue_id=dialogue.id,
        collection_id=dialogue.id.split("_conv:")[0],
        emotion=dialogue.emotion,
        situation=dialogue.situation,
        history=history,
        utterance=utterance,
        raw=RawLocation(file=file, row=dialogue.row),
        lineage=lineage,
    )
    response = Response(
        id=content_id("response", exchange_id, RESPONDER, answer),
        exchange_id=exchange_id,
        responder=RESPONDER,
        text=answer,
        lineage=lineage.model_copy(update={"parents": (exchange_id,)}),
    )
    return Sourced(exchange, (response,))


def _dialogues(path: Path) -> Iterator[tuple[str, _Dialogue]]:
    if path.name.endswith((".tar.gz", ".tgz")):
        yield from _archive(path)
    elif path.suffix == ".csv" and _is_upstream(path):
        with path.open("rb") as stream:
            rows = csv_rows(stream, path, _UPSTREAM_COLUMNS, quoted=False)
            yield from ((path.name, one) for one in _upstream(path, rows))
    else:
        for one in _table(path, iter_rows(path, _TABLE_COLUMNS)):
            yield path.name, one


def _is_upstream(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.readline().startswith(b"conv_id,")


def _archive(path: Path) -> Iterator[tuple[str, _Dialogue]]:
    try:
        with tarfile.open(path, "r:gz") as archive:
            members = sorted(
                (one for one in archive.getmembers() if one.name.endswith(".csv")),
                key=lambda one: one.name,
            )
            for member in members:
                stream = archive.extractfile(member)
                if stream is not None:
                    rows = csv_rows(stream, path, _UPSTREAM_COLUMNS, quoted=False)  # type: ignore[arg-type]
                    yield from ((member.name, one) for one in _upstream(path, rows))
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise TableError(
            path, f"not a whole archive ({error})", hint="Download it again."
        ) from error


def _upstream(path: Path, rows: Iterable[Row]) -> Iterator[_Dialogue]:
    """Read the release: `_comma_` is a comma, nothing is quoted, odd turns are the speaker's."""
    for conversation, turns in groupby(rows, key=lambda row: row[1]["conv_id"]):
        dialogue: _Dialogue | None = None
        for row, values in turns:
            if not conversation.strip():
                raise RowError(path, row, "conv_id is empty", hint="Each row needs its dialogue.")
            if dialogue is None:
                dialogue = _Dialogue(conversation, row, values["context"], _plain(values["prompt"]))
            if not values["utterance_idx"].isdecimal():
                raise RowError(
                    path,
                    row,
                    f"utterance_idx is {values['utterance_idx']!r}",
                    hint="It must be a whole number from 1.",
                )
            text = _plain(values["utterance"])
            if text:
                odd = int(values["utterance_idx"]) % 2 == 1
                dialogue.add("speaker" if odd else "listener", text)
        if dialogue is not None:
            yield dialogue


def _plain(text: str) -> str:
    return text.replace("_comma_", ",").strip()


def _table(path: Path, rows: Iterable[Row]) -> Iterator[_Dialogue]:
    for dialogue_id, lines in groupby(rows, key=lambda row: label(row[1]["Dialog_ID"])):
        dialogue: _Dialogue | None = None
        for row, values in lines:
            if not dialogue_id:
                raise RowError(path, row, "Dialog_ID is empty", hint="Each row needs its dialogue.")
            if dialogue is None:
                dialogue = _Dialogue(dialogue_id, row, label(values["emotion"]))
            text = str(values["Text"] or "").strip()
            if values["Type"] == "situation":
                dialogue.situation = text
            elif values["Actor"] not in ("speaker", "listener"):
                raise RowError(
                    path,
                    row,
                    f"Actor is {values['Actor']!r}",
                    hint="An utterance is by speaker or listener.",
                )
            elif text:
                dialogue.add(values["Actor"], text)
        if dialogue is not None:
            yield dialogue


EMPATHETIC_DIALOGUES = Source(
    name=NAME,
    title="EmpatheticDialogues: about 25,000 crowd-sourced conversations",
    licence=LICENCE,
    citation="Rashkin, Smith, Li and Boureau, ACL 2019",
    synthetic="none",
    read=read,
    reference_responder=RESPONDER,
    homepage="https://github.com/facebookresearch/EmpatheticDialogues",
    url="https://dl.fbaipublicfiles.com/parlai/empatheticdialogues/empatheticdialogues.tar.gz",
    sha256="56f234d77b7dd1f005fd365bb17769cfe346c3c84295b69bc069c8ccb83be03d",
    terms="CC BY-NC 4.0: attribution, non-commercial use only.",
)
