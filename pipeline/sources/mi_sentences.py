"""Coded sentences of other corpora: the counselling posts of mi_strategy, and AnnoMI.

mi_strategy's `Union (without disambiguities)` column holds silver codes. AnnoMI was coded by
experts, one main behaviour and subtype per therapist turn, in a scheme of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import RowError
from pipeline.records import BehaviourCode
from pipeline.sources.rows import iter_rows

SILVER = "Union (without disambiguities)"


@dataclass(frozen=True)
class CodedText:
    """A text, its code, and the conversation it is from."""

    text: str
    code: str
    conversation: str


def read_mi_strategy(path: Path) -> Iterator[CodedText]:
    """Yield the posts of `CC_Augmented.csv` that carry a silver code."""
    for row, values in iter_rows(path, ("dialog_id", "text", SILVER)):
        code, text = str(values[SILVER]).strip(), str(values["text"]).strip()
        if not code or not text:
            continue
        if code not in set(BehaviourCode):
            raise RowError(
                path, row, f"code {code!r} is not known", hint=f"Codes: {', '.join(BehaviourCode)}"
            )
        yield CodedText(text, code, str(values["dialog_id"]))


# AnnoMI's code of a therapist's turn -> the codes of ours that count as agreeing with it.
# `other` is everything that is neither question, reflection nor input: facilitation, greetings,
# thanks. In our set that is Other, but Support and Affirm have no other place in AnnoMI either.
ANNOMI: dict[str, frozenset[BehaviourCode]] = {
    "question open": frozenset({BehaviourCode.OPEN_QUESTION}),
    "question closed": frozenset({BehaviourCode.CLOSED_QUESTION}),
    "reflection simple": frozenset({BehaviourCode.SIMPLE_REFLECTION}),
    "reflection complex": frozenset({BehaviourCode.COMPLEX_REFLECTION}),
    "input information": frozenset({BehaviourCode.GIVE_INFORMATION}),
    "input advice": frozenset(
        {
            BehaviourCode.ADVISE_WITH_PERMISSION,
            BehaviourCode.ADVISE_WITHOUT_PERMISSION,
            BehaviourCode.DIRECT,
        }
    ),
    "input options": frozenset({BehaviourCode.ADVISE_WITH_PERMISSION, BehaviourCode.EMPHASIZE_AUTONOMY}),
    "input negotiation": frozenset({BehaviourCode.ADVISE_WITH_PERMISSION, BehaviourCode.EMPHASIZE_AUTONOMY}),
    "other": frozenset(
        {
            BehaviourCode.OTHER,
            BehaviourCode.SUPPORT,
            BehaviourCode.AFFIRM,
            BehaviourCode.SELF_DISCLOSE,
        }
    ),
}  # fmt: skip
_COLUMNS = {"question": "question_subtype", "reflection": "reflection_subtype"}


def read_annomi(path: Path) -> Iterator[CodedText]:
    """Yield therapist turns with AnnoMI's own code, as the keys of `ANNOMI` name it."""
    columns = (
        "transcript_id",
        "interlocutor",
        "utterance_text",
        "main_therapist_behaviour",
        "question_subtype",
        "reflection_subtype",
        "therapist_input_subtype",
    )
    for row, values in iter_rows(path, columns):
        text = str(values["utterance_text"]).strip()
        if values["interlocutor"] != "therapist" or not text:
            continue
        behaviour = str(values["main_therapist_behaviour"])
        subtype = values[_COLUMNS.get(behaviour, "therapist_input_subtype")]
        name = "input" if behaviour == "therapist_input" else behaviour
        code = name if name == "other" else f"{name} {subtype}"
        if code not in ANNOMI:
            raise RowError(
                path, row, f"behaviour {code!r} is not known", hint=f"Known: {', '.join(ANNOMI)}"
            )
        yield CodedText(text, code, str(values["transcript_id"]))
