"""Turn raw columns and their roles into an `AuditTable`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.audit.chats import LISTENERS, SPEAKERS, as_text, message_text, read_turn, split_chat
from pipeline.audit.raw_table import RawTable, shown
from pipeline.audit.reading import dataset_name, read_raw
from pipeline.audit.roles import Roles, TextColumn, check_roles, guess_roles
from pipeline.audit.table import AuditPair, AuditTable, Speaks, Text
from pipeline.sources.pseudonyms import Raters, known_raters


def read_table(
    path: Path,
    roles: Roles | None = None,
    *,
    against: Path | None = None,
    name: str | None = None,
    raters: Raters | None = None,
) -> AuditTable:
    """Read `path` as an `AuditTable`; `against` is another file, of any shape, to compare with.

    Without `roles` the columns are guessed. Pseudonyms of raters are those of a build if this
    folder has the secret; without it they mean nothing outside this run, whatever the order in
    which the file names its raters, so that nothing but the file's own rows leads back to an id.
    `raters` are other ones, as for a published file. Raises TableError as `read_raw` and
    `check_roles` do.
    """
    raw = read_raw(path)
    chosen = roles or guess_roles(raw)
    check_roles(path, raw, chosen)
    table = build_table(
        raw,
        chosen,
        name=name or dataset_name(path),
        columns_guessed=roles is None,
        raters=raters or known_raters(),
    )
    if against is None:
        return table
    other = read_raw(against)
    other_roles, named = guess_roles(other), shown(against.name)
    check_roles(against, other, other_roles)
    texts = build_table(
        other, other_roles, name=named, columns_guessed=True, raters=raters or known_raters()
    ).texts
    return replace(table, against=texts, against_name=named)


def build_table(
    raw: RawTable, roles: Roles, *, name: str, columns_guessed: bool, raters: Raters
) -> AuditTable:
    """Return the audit's view of `raw`; what has no place in it is noted."""
    build = _Builder(raw, roles, raters)
    texts = list(build.texts())
    nested = [
        column
        for column, values in raw.columns.items()
        if any(isinstance(value, dict | list) for value in values[:100])
        and column not in roles.described().values()
    ]
    if nested:
        build.notes.append(f"nested columns are not looked into: {', '.join(nested)}")
    return AuditTable(
        name=name,
        rows=raw.rows,
        texts=_with_prompts(texts) if roles.actor or roles.turns else texts,
        pairs=build.pairs(),
        raw=raw.columns,
        columns=roles.described(),
        columns_guessed=columns_guessed,
        notes=[*raw.notes, *build.notes],
    )


def row_ids(
    raw: RawTable, *, id_column: str | None, dialogue_column: str | None
) -> tuple[list[str], list[str]]:
    """Return the id of each row and notes: the id column, else that of dialogues, if unique.

    Rows without such a column are numbered from 0.
    """
    notes: list[str] = []
    for column in (id_column, dialogue_column):
        if column is None:
            continue
        values = [as_text(value) for value in raw.columns[column]]
        if len(set(values)) == len(values) and "" not in values:
            return values, notes
        if column == id_column:
            notes.append(f"ids in {column!r} are not unique: rows are numbered from 0")
    return [str(row) for row in range(raw.rows)], notes


class _Builder:
    def __init__(self, raw: RawTable, roles: Roles, raters: Raters) -> None:
        self.raw, self.roles = raw, roles
        self.notes: list[str] = []
        self.raters = raters
        self.ids, notes = row_ids(raw, id_column=roles.id, dialogue_column=roles.dialogue)
        self.notes += notes
        self.prompts = self._without_frame(roles.prompt)
        prefix = roles.probabilities
        self.probable = [name for name in raw.columns if prefix and name.startswith(prefix)]

    def _without_frame(self, column: str | None) -> list[str]:
        """Return the prompts without the words that all of them begin and end with.

        An instruction template around each utterance would make all prompts near-duplicates.
        """
        if column is None:
            return [""] * self.raw.rows
        prompts = [message_text(value) for value in self.raw.columns[column]]
        distinct = list(dict.fromkeys(filter(None, prompts)))
        if len(distinct) < 20:
            return prompts
        head = _shared_start(distinct)
        tail = _shared_start([prompt[::-1] for prompt in distinct])
        if len(head) + len(tail) < 40:
            return prompts
        self.notes.append(f"{column!r}: what all prompts share was taken off before comparing")
        stop = len(tail)
        return [prompt[len(head) : len(prompt) - stop].strip() for prompt in prompts]

    def _last_said(self, row: int) -> str:
        """Return the speaker's last turn of a prompt that is a list of messages."""
        prompt = self.raw.columns[self.roles.prompt][row] if self.roles.prompt else None
        return split_chat([*prompt, {}]).said if isinstance(prompt, list) else ""

    def cell(self, column: str | None, row: int) -> str | None:
        if column is None:
            return None
        return as_text(self.raw.columns[column][row]) or None

    def texts(self) -> Iterator[Text]:
        roles = self.roles
        for row in range(self.raw.rows):
            base = Text(
                row_id=self.ids[row],
                text="",
                column="",
                dialogue_id=self.cell(roles.dialogue, row),
                split=self.cell(roles.split, row),
                group=self.cell(roles.group, row),
                situation=self.cell(roles.situation, row),
                improved_from=self.cell(roles.improved_from, row),
                emotion=self.cell(roles.emotion, row),
                sentiment=self.cell(roles.sentiment, row),
            )
            prompt = self.prompts[row]
            if roles.turns:
                yield from self._turns(base, row)
            if prompt and roles.prompt not in {one.text for one in roles.texts}:
                yield replace(base, text=prompt, column=str(roles.prompt), speaks="speaker")
            for one in roles.texts:
                yield self._reply(replace(base, prompt=prompt or None), one, row)
            for side, name in ((roles.chosen, "chosen"), (roles.rejected, "rejected")):
                if side is not None:
                    chat = split_chat(self.raw.columns[side][row])
                    if chat.before and name == "chosen":
                        yield replace(base, text=chat.before, column=side, speaks="speaker")
                    asked = chat.said or self._last_said(row) or prompt or None
                    yield replace(base, text=chat.reply, column=side, responder=name, prompt=asked)

    def _reply(self, base: Text, one: TextColumn, row: int) -> Text:
        label = self.cell(one.label, row)
        rater = self.cell(one.rater, row)
        actor = (self.cell(self.roles.actor, row) or "").lower()
        return replace(
            base,
            text=as_text(self.raw.columns[one.text][row]),
            column=one.text,
            speaks="speaker" if actor in SPEAKERS or actor == "none" else "listener",
            responder=one.responder or self.cell(self.roles.responder, row),
            label=label,
            rating=as_number(label),
            rater=self.raters.pseudonym(rater) if rater else None,
            probabilities=self._probabilities(row),
            codes=_codes(self.raw.columns[one.codes][row]) if one.codes else None,
        )

    def _probabilities(self, row: int) -> dict[str, float] | None:
        prefix = self.roles.probabilities
        if prefix is None:
            return None
        named = {
            column.removeprefix(prefix): as_number(self.cell(column, row))
            for column in self.probable
        }
        return {label: value for label, value in named.items() if value is not None}

    def _turns(self, base: Text, row: int) -> Iterator[Text]:
        for position, turn in enumerate(self.raw.columns[str(self.roles.turns)][row] or ()):
            who, text = read_turn(turn)
            if text and who != "system":
                speaks: Speaks = "listener" if who in LISTENERS else "speaker"
                note = turn.get("annotation")
                label = as_text(note.get("strategy")) or None if isinstance(note, dict) else None
                yield replace(
                    base,
                    text=text,
                    column=f"{self.roles.turns}[{position}]",
                    speaks=speaks,
                    dialogue_id=base.dialogue_id or base.row_id,
                    label=label,
                )

    def pairs(self) -> list[AuditPair]:
        roles, columns = self.roles, self.raw.columns
        if roles.chosen is None or roles.rejected is None:
            return []
        found = []
        for row in range(self.raw.rows):
            chosen = split_chat(columns[roles.chosen][row])
            rejected = split_chat(columns[roles.rejected][row])
            asked = (self.prompts[row], self.cell(roles.situation, row))
            other = rejected.before
            if roles.other_prompt:
                other = message_text(columns[roles.other_prompt][row])
            found.append(
                AuditPair(
                    row_id=self.ids[row],
                    chosen=chosen.reply,
                    rejected=rejected.reply,
                    prompt=chosen.before or "\n".join(filter(None, asked)),
                    other_prompt=other or None,
                    chosen_rating=as_number(self.cell(roles.chosen_rating, row)),
                    rejected_rating=as_number(self.cell(roles.rejected_rating, row)),
                    dialogue_id=self.cell(roles.dialogue, row),
                    split=self.cell(roles.split, row),
                    votes=tuple(self.cell(vote, row) or "" for vote in roles.votes),
                )
            )
        return found


def _with_prompts(texts: list[Text]) -> list[Text]:
    """Give each listener turn the speaker's turn just before it in the same dialogue."""
    last: dict[str, Text] = {}
    told = []
    for text in texts:
        key = text.dialogue_id or ""
        before = last.get(key)
        if text.speaks == "listener" and text.prompt is None and before is not None:
            told.append(replace(text, prompt=before.text if before.speaks == "speaker" else None))
        else:
            told.append(text)
        last[key] = text
    return told


def as_number(value: str | None) -> float | None:
    """Return a label as a finite number, or None."""
    try:
        number = float(value) if value is not None else None
    except ValueError:
        return None
    return number if number is not None and abs(number) < float("inf") else None


def _shared_start(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)
    length = next(
        (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b),
        min(len(first), len(last)),
    )
    return first[:length]


def _codes(value: Any) -> tuple[str, ...] | None:
    """Read a list of codes as a list, as its Python or JSON text, or as words between commas."""
    if isinstance(value, str):
        try:
            value = ast.literal_eval(value) if value.lstrip().startswith("[") else value.split(",")
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return None
    if not isinstance(value, Sequence) or isinstance(value, str):
        return None
    return tuple(str(code).strip() for code in value)
