"""The columns of the known sources, where a guess would not know what the authors meant."""

from __future__ import annotations

from pipeline.audit.roles import Roles, TextColumn
from pipeline.errors import PipelineError


def _welivita(responders: tuple[str, ...], *, coded: bool) -> Roles:
    return Roles(
        texts=tuple(
            TextColumn(
                f"response_{who}",
                responder=who,
                label=f"rating_{who}",
                rater=f"annotator_{who}",
                codes=f"miti_{who}" if coded else None,
            )
            for who in responders
        ),
        dialogue="dialog_id",
        prompt="speaker_uttr",
        situation="situation",
        emotion="emotion",
        sentiment="sentiment",
    )


LAYOUTS: dict[str, Roles] = {
    "welivita2024": _welivita(
        ("human", "chatgpt_empathy", "llama_empathy", "gemini_empathy", "mixtral_empathy"),
        coded=False,
    ),
    "welivita2023": _welivita(("human", "chatgpt", "chatgpt_empathy"), coded=True),
    "scoring_paper": Roles(
        texts=(TextColumn("response", label="rating", codes="miti"),),
        id="unified_dialog_id",
        dialogue="dialog_id",
        prompt="speaker_uttr",
        situation="situation",
        responder="type",
    ),
    "annomi": Roles(
        texts=(
            TextColumn("utterance_text", label="main_therapist_behaviour", rater="annotator_id"),
        ),
        dialogue="transcript_id",
        actor="interlocutor",
    ),
    "esconv": Roles(turns="dialog", situation="situation", emotion="emotion_type"),
    "empathetic_dialogues": Roles(
        texts=(TextColumn("Text", label="Label"),),
        dialogue="Dialog_ID",
        actor="Actor",
        emotion="emotion",
    ),
    "mi_strategy": Roles(
        texts=(TextColumn("text", label="Union (without disambiguities)"),),
        dialogue="dialog_id",
        actor="author",
    ),
    "hh_rlhf": Roles(chosen="chosen", rejected="rejected"),
    "pandalm": Roles(
        id="idx",
        prompt="instruction",
        situation="input",
        chosen="response1",
        rejected="response2",
        votes=("annotator1", "annotator2", "annotator3"),
    ),
    "llmbar": Roles(prompt="input", chosen="output_1", rejected="output_2", votes=("label",)),
}


def get_layout(source: str) -> Roles:
    """Return the layout of a known source, or say which there are."""
    if source not in LAYOUTS:
        known = ", ".join(LAYOUTS)
        raise PipelineError(f"source {source!r}: its columns are not known\nUse one of: {known}")
    return LAYOUTS[source]
