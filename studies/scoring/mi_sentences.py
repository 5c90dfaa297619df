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


# Our code -> AnnoMI's, whose turns have a main behaviour and a subtype. Many to one: AnnoMI has one
# code of advice, whatever leave was asked, and everything that is neither question, reflection nor
# input (greetings, thanks, facilitation, praise) is `other`. Its rare inputs `options` and
# `negotiation` both leave the choice to the client and are taken together.
TO_ANNOMI: dict[BehaviourCode, str] = {
    BehaviourCode.OPEN_QUESTION: "question open",
    BehaviourCode.CLOSED_QUESTION: "question closed",
    BehaviourCode.SIMPLE_REFLECTION: "reflection simple",
    BehaviourCode.COMPLEX_REFLECTION: "reflection complex",
    BehaviourCode.GIVE_INFORMATION: "input information",
    BehaviourCode.ADVISE_WITH_PERMISSION: "input advice",
    BehaviourCode.ADVISE_WITHOUT_PERMISSION: "input advice",
    BehaviourCode.DIRECT: "input advice",
    BehaviourCode.WARN: "input advice",
    BehaviourCode.EMPHASIZE_AUTONOMY: "input choice",
    BehaviourCode.SUPPORT: "other",
    BehaviourCode.AFFIRM: "other",
    BehaviourCode.SELF_DISCLOSE: "other",
    BehaviourCode.CONFRONT: "other",
    BehaviourCode.OTHER: "other",
}
_CHOICE = {"input options", "input negotiation"}
_COLUMNS = {"question": "question_subtype", "reflection": "reflection_subtype"}


def read_annomi(path: Path) -> Iterator[CodedText]:
    """Yield therapist turns with AnnoMI's own code, as the values of `TO_ANNOMI` have it.

    The few turns whose behaviour has no subtype are passed over: they have no code to agree with.
    """
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
        subtype = str(values[_COLUMNS.get(behaviour, "therapist_input_subtype")]).strip()
        if behaviour != "other" and not subtype:
            continue
        name = "input" if behaviour == "therapist_input" else behaviour
        code = name if name == "other" else f"{name} {subtype}"
        code = "input choice" if code in _CHOICE else code
        if code not in TO_ANNOMI.values():
            known = ", ".join(sorted(set(TO_ANNOMI.values())))
            raise RowError(path, row, f"behaviour {code!r} is not known", hint=f"Known: {known}")
        yield CodedText(text, code, str(values["transcript_id"]))
