"""Labels that public corpora came with, as rounds: their own label, and ours where one fits.

The mapping and its losses are written down in `annotations/imports.md`. Only ids and labels leave
this module, never a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline.errors import RowError
from pipeline.records import Annotation, AnswerValue, BehaviourCode, Response, content_id
from pipeline.sources import ReadOptions, Sourced, get_source
from pipeline.sources.rows import iter_rows, iter_text_lines
from pipeline.storage import read_json_as

MAX_CHARS = 20_000
_UNCODED = "not stated"

# AnnoMI: one utterance can show several behaviours. Negotiation (setting goals together) is what
# MITI 4 calls Seeking Collaboration, for which our set has no code.
ANNOMI_CODES: dict[str, BehaviourCode | None] = {
    "question: open": BehaviourCode.OPEN_QUESTION,
    "question: closed": BehaviourCode.CLOSED_QUESTION,
    "reflection: simple": BehaviourCode.SIMPLE_REFLECTION,
    "reflection: complex": BehaviourCode.COMPLEX_REFLECTION,
    "input: information": BehaviourCode.GIVE_INFORMATION,
    "input: advice": BehaviourCode.ADVISE_WITHOUT_PERMISSION,
    "input: options": BehaviourCode.ADVISE_WITH_PERMISSION,
    "input: negotiation": None,
    "other": BehaviourCode.OTHER,
}

# ESConv: a strategy per utterance. Its questions are not split, its affirmation covers both our
# Affirm and our Support, its guidance may leave a choice or not: no code of ours can be given.
ESCONV_CODES: dict[str, BehaviourCode | None] = {
    "Questions": None,
    "Restatement or Paraphrasing": BehaviourCode.SIMPLE_REFLECTION,
    "Reflection of feelings": BehaviourCode.COMPLEX_REFLECTION,
    "Self-disclosure": BehaviourCode.SELF_DISCLOSE,
    "Affirmation and Reassurance": None,
    "Approval and Reassurance": None,
    "Direct Guidance": None,
    "Providing Suggestions": BehaviourCode.ADVISE_WITHOUT_PERMISSION,
    "Information": BehaviourCode.GIVE_INFORMATION,
    "Other": BehaviourCode.OTHER,
}
_ESCONV_SPELLINGS = {
    "Question": "Questions",
    "Others": "Other",
    "Restatement": "Restatement or Paraphrasing",
}

_SILVER = "Union (without disambiguities)"


def read_corpus(name: str, path: Path) -> list[Annotation]:
    """Return the labels of one corpus, each marked as the source's own."""
    return list(_READERS[name](path))


def _label(
    corpus: str,
    item_id: str,
    question: str,
    value: AnswerValue,
    *,
    sentence: int | None = None,
    annotator: str | None = None,
) -> Annotation:
    return Annotation(
        item_id=item_id,
        question=question,
        sentence=sentence,
        value=value,
        status="submitted",
        role="source",
        annotator=annotator or f"source:{corpus}",
        guidelines=_UNCODED,
        origin=f"import:{corpus}",
    )


def _with_codes(
    corpus: str, item_id: str, own: tuple[str, ...], codes: dict[str, BehaviourCode | None]
) -> Iterator[Annotation]:
    """Yield the corpus's own labels, and ours unless one of them has no code of ours."""
    yield _label(corpus, item_id, f"{corpus}_behaviours", own)
    mapped = {code for label in own if (code := codes[label])}
    if all(codes[label] for label in own):
        yield _label(corpus, item_id, "codes", tuple(sorted(mapped)))


def _annomi(path: Path) -> Iterator[Annotation]:
    columns = ["transcript_id", "utterance_id", "interlocutor", "main_therapist_behaviour"]
    for kind in ("reflection", "question"):
        columns += [f"{kind}_exists", f"{kind}_subtype"]
    columns += ["therapist_input_exists", "therapist_input_subtype"]
    for row, values in iter_rows(path, columns):
        if values["interlocutor"] != "therapist":
            continue
        own = tuple(sorted(_annomi_behaviours(values)))
        if unknown := [label for label in own if label not in ANNOMI_CODES]:
            raise RowError(path, row, f"behaviour {unknown[0]!r} is not known", hint=_KNOWN_FILE)
        item = content_id("utterance", "annomi", values["transcript_id"], values["utterance_id"])
        yield from _with_codes("annomi", item, own, ANNOMI_CODES)


def _annomi_behaviours(values: dict[str, Any]) -> set[str]:
    names = {"reflection": "reflection", "question": "question", "therapist_input": "input"}
    shown = {
        f"{name}: {values[f'{column}_subtype']}"
        for column, name in names.items()
        if values[f"{column}_exists"] == "True"
    }
    return shown or {"other"}


_KNOWN_FILE = "Give the file that the corpus publishes; see annotations/imports.md."


def _esconv(path: Path) -> Iterator[Annotation]:
    if path.suffix == ".json":
        yield from _esconv_dialogues(path)
    else:
        yield from _esconv_contexts(path)


class _Behaviour(BaseModel):
    strategy: str | None = None


class _Turn(BaseModel):
    annotation: _Behaviour


class _Dialogue(BaseModel):
    dialog: list[_Turn]


def _esconv_dialogues(path: Path) -> Iterator[Annotation]:
    dialogues = read_json_as(path, list[_Dialogue], hint=_KNOWN_FILE)
    for number, dialogue in enumerate(dialogues, start=1):
        for turn, said in enumerate(dialogue.dialog):
            if strategy := said.annotation.strategy:
                item = content_id("utterance", "esconv", path.name, number, turn)
                yield from _esconv_label(path, number, item, strategy)


def _esconv_contexts(path: Path) -> Iterator[Annotation]:
    """Read the file of growing contexts: each line ends with the utterance that it is about."""
    strategy = re.compile(r"\[([^\]]+)\]")
    for row, line in enumerate(iter_text_lines(path), start=1):
        last = line.rsplit(" EOS ", 1)[-1]
        if found := strategy.search(last):
            item = content_id("utterance", "esconv", path.name, row)
            yield from _esconv_label(path, row, item, found[1])


def _esconv_label(path: Path, row: int, item: str, strategy: str) -> Iterator[Annotation]:
    name = _ESCONV_SPELLINGS.get(strategy, strategy)
    if name not in ESCONV_CODES:
        raise RowError(path, row, f"strategy {strategy!r} is not known", hint=_KNOWN_FILE)
    yield from _with_codes("esconv", item, (name,), ESCONV_CODES)


def _mi_strategy(path: Path) -> Iterator[Annotation]:
    """Read the silver codes that the corpus's authors derived; rows without one are passed over."""
    for row, values in iter_rows(path, ["dialog_id", "turn", "text", _SILVER]):
        if not (code := values[_SILVER].strip()):
            continue
        try:
            value = (BehaviourCode(code),)
        except ValueError as error:
            raise RowError(path, row, f"code {code!r} is not known", hint=_KNOWN_FILE) from error
        item = content_id("utterance", "mi_strategy", values["dialog_id"], row)
        yield _label("mi_strategy", item, "codes", value)


def _rated(source: str) -> Callable[[Path], Iterator[Annotation]]:
    """Return a reader of one of our sources: its ratings, and its codes sentence by sentence."""

    def read(path: Path) -> Iterator[Annotation]:
        for item in get_source(source).read(path, ReadOptions(max_chars=MAX_CHARS)):
            if isinstance(item, Sourced):
                for response in item.responses:
                    yield from _rated_response(source, response)

    return read


def _rated_response(source: str, response: Response) -> Iterator[Annotation]:
    if response.rating is not None:
        yield _label(source, response.id, "empathy", response.rating, annotator=response.rater)
    for sentence, code in enumerate(response.codes or ()):
        yield _label(source, response.id, "codes", (code,), sentence=sentence)


_READERS: dict[str, Callable[[Path], Iterator[Annotation]]] = {
    "annomi": _annomi,
    "esconv": _esconv,
    "mi_strategy": _mi_strategy,
    "sample": _rated("sample"),
    "welivita2023": _rated("welivita2023"),
}
