"""Which column holds what: given by the caller, or guessed from names and content."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.audit.raw_table import RawTable
from pipeline.errors import TableError


@dataclass(frozen=True)
class TextColumn:
    """A column of texts with the columns that say more about the same texts.

    `responder` names who wrote all of them; None where a column says it, or nothing does.
    """

    text: str
    responder: str | None = None
    label: str | None = None
    rater: str | None = None
    codes: str | None = None


@dataclass(frozen=True)
class Roles:
    """One column per role, None where the file has none.

    `actor` says per row who speaks (`speaker` or `listener`, by any of the corpora's names).
    `turns` holds a list of messages; `chosen` and `rejected` are the sides of a pair; `votes` are
    columns in which judges named the better side, 1 or 2. `probabilities` is what the names of
    columns begin with that hold a classifier's probability of a label: `p_` for `p_1` to `p_3`.
    """

    texts: tuple[TextColumn, ...] = ()
    id: str | None = None
    dialogue: str | None = None
    group: str | None = None
    split: str | None = None
    prompt: str | None = None
    situation: str | None = None
    improved_from: str | None = None
    emotion: str | None = None
    sentiment: str | None = None
    responder: str | None = None
    actor: str | None = None
    turns: str | None = None
    chosen: str | None = None
    rejected: str | None = None
    chosen_rating: str | None = None
    rejected_rating: str | None = None
    other_prompt: str | None = None
    votes: tuple[str, ...] = ()
    probabilities: str | None = None

    def described(self) -> dict[str, str]:
        """Return role -> column(s), for a person to check."""
        named: dict[str, str] = {}
        for one in self.texts:
            for what in ("text", "label", "rater", "codes"):
                if column := getattr(one, what):
                    named[what] = ", ".join(filter(None, (named.get(what), column)))
        for role in self.__dataclass_fields__:
            if role not in ("texts", "probabilities") and (column := getattr(self, role)):
                named[role] = column if isinstance(column, str) else ", ".join(column)
        return named


_NAMES: dict[str, str] = {
    "id": r"(row_?|sample_?|example_?|item_?|response_?|pair_?)?(id|idx|uid|uuid)",
    "dialogue": r"(dialog(ue)?|conv(ersation)?|transcript|exchange)_?id",
    "group": r"(hit|session|collection|batch|group)(_?id)?",
    "split": r"(data_?)?split|subset|fold",
    "prompt": r"speaker_uttr|utterance|prompt|instruction|question|query|user|post|speaker_text",
    "situation": r"situation|context|scenario|background|input",
    "improved_from": r"(original|initial|improved_from|before)(_?(response|reply|text))?",
    "emotion": r"emotion(_type)?|feeling",
    "sentiment": r"sentiment|polarity",
    "responder": r"responder|type|model|teacher|author|generator|source_model",
    "actor": r"actor|role|interlocutor|speaker|who",
    "turns": r"messages|dialog|dialogue|conversations?|turns",
    "chosen": r"chosen|preferred|response_?1",
    "rejected": r"rejected|dispreferred|response_?2",
    "chosen_rating": r"chosen_(rating|score)|(rating|score)_chosen",
    "rejected_rating": r"rejected_(rating|score)|(rating|score)_rejected",
    "other_prompt": r"(rejected_prompt|prompt_rejected)",
}
_TEXT = re.compile(r"(.*_)?(text|response|reply|answer|completion|output|content|sentence)", re.I)
_WIDE = re.compile(r"(response|reply|answer)_(?P<who>(?!id$).+)", re.I)
_LABEL = re.compile(r"(.*_)?(label|rating|score|class|stars|strategy|code)", re.I)
_RATER = re.compile(r"(.*_)?(annotator|rater|worker|labell?er|coder|judge)s?(_?id)?", re.I)
_CODES = re.compile(r"(.*_)?(miti|codes|behaviou?rs?)(_.*)?", re.I)


def guess_roles(raw: RawTable) -> Roles:
    """Guess every role from the names of the columns, the texts by content if need be."""
    names = list(raw.columns)
    taken: dict[str, Any] = {}
    for role, pattern in _NAMES.items():
        hits = [name for name in names if re.fullmatch(pattern, name.replace("-", "_"), re.I)]
        hits = [name for name in hits if name not in taken.values()]
        if hits:
            taken[role] = hits[0]
    if "chosen" not in taken or "rejected" not in taken:
        taken.pop("chosen", None)
        taken.pop("rejected", None)
    if "turns" in taken and not _is_turns(raw.columns[taken["turns"]]):
        del taken["turns"]
    if "actor" in taken and not _is_actor(raw.columns[taken["actor"]]):
        del taken["actor"]
    votes = tuple(name for name in names if re.fullmatch(r"annotator_?\d+", name, re.I))
    roles = Roles(**taken, votes=votes if "chosen" in taken else ())
    return replace(roles, texts=_guess_texts(raw, roles))


def _guess_texts(raw: RawTable, roles: Roles) -> tuple[TextColumn, ...]:
    names = list(raw.columns)
    wide = [match for name in names if (match := _WIDE.fullmatch(name)) and _is_text(raw, name)]
    if wide:
        return tuple(
            TextColumn(
                match.group(),
                responder=match.group("who"),
                label=_beside(names, match.group("who"), ("rating", "label", "score")),
                rater=_beside(names, match.group("who"), ("annotator", "rater", "worker")),
                codes=_beside(names, match.group("who"), ("miti", "codes")),
            )
            for match in wide
        )
    if roles.chosen or roles.turns:
        return ()
    used = {roles.id, roles.dialogue, roles.prompt, roles.situation, roles.improved_from}
    free = [name for name in names if name not in used and _is_text(raw, name)]
    named = [name for name in free if _TEXT.fullmatch(name)]
    found = named[:1] or sorted(free, key=lambda name: -_mean_chars(raw.columns[name]))[:1]
    if not found and roles.prompt and _is_text(raw, roles.prompt):
        found = [roles.prompt]
    if not found:
        return ()
    rest = [name for name in names if name not in {*found, *used}]
    return (
        TextColumn(
            found[0],
            label=next((name for name in rest if _LABEL.fullmatch(name)), None),
            rater=next((name for name in rest if _RATER.fullmatch(name)), None),
            codes=next((name for name in rest if _CODES.fullmatch(name)), None),
        ),
    )


def _beside(names: Sequence[str], who: str, prefixes: Sequence[str]) -> str | None:
    wanted = {f"{prefix}_{who}".lower() for prefix in prefixes}
    return next((name for name in names if name.lower() in wanted), None)


def _sample(values: Sequence[Any]) -> list[Any]:
    step = max(1, len(values) // 500)
    return [value for value in values[::step] if value not in (None, "")]


def _is_text(raw: RawTable, name: str) -> bool:
    values = _sample(raw.columns[name])
    if not values or not all(isinstance(value, str) for value in values):
        return False
    spaced = sum(" " in value.strip() for value in values)
    coded = sum(value.lstrip()[:1] in "[{" for value in values)
    return spaced > len(values) / 3 and coded < len(values) / 2


def _mean_chars(values: Sequence[Any]) -> float:
    sample = _sample(values)
    return sum(len(str(value)) for value in sample) / max(1, len(sample))


def _is_turns(values: Sequence[Any]) -> bool:
    sample = _sample(values)
    return bool(sample) and all(
        isinstance(value, list) and all(isinstance(turn, dict) for turn in value)
        for value in sample
    )


def _is_actor(values: Sequence[Any]) -> bool:
    return len({str(value) for value in _sample(values)}) <= 6


def check_roles(path: Path, raw: RawTable, roles: Roles) -> None:
    """Raise TableError for a column that the file does not have, or a table without texts."""
    import difflib

    wanted = [name for listed in roles.described().values() for name in listed.split(", ")]
    for name in wanted:
        if name not in raw.columns:
            close = difflib.get_close_matches(name, list(raw.columns), n=1)
            guess = f"Was {close[0]!r} meant? " if close else ""
            raise TableError(
                path, f"no column {name!r}", hint=f"{guess}The file has: {', '.join(raw.columns)}"
            )
    prefix = roles.probabilities
    if prefix is not None and not any(name.startswith(prefix) for name in raw.columns):
        raise TableError(
            path,
            f"no column begins with {prefix!r}",
            hint=f"The file has: {', '.join(raw.columns)}",
        )
    if not roles.texts and not roles.turns and not roles.chosen:
        raise TableError(
            path,
            "no column of texts was found",
            hint=f"Name one with --text. The file has: {', '.join(raw.columns)}",
        )
