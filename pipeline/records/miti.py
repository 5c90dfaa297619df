"""The 15 behaviour codes of the corpora, and what they mean in MITI 4.2.1.

The set is the one that Welivita and Pu's classifier was trained with: older MITI, MISC-like,
and not MITI 4.2.1, which does not split questions and has no Direct or Warn. The manual scores a
whole session of about 20 minutes; a single reply yields MITI-style counts and no competence.
"""

from __future__ import annotations

from enum import StrEnum


class BehaviourCode(StrEnum):
    """One code per sentence of a response."""

    CLOSED_QUESTION = "Closed Question"
    OPEN_QUESTION = "Open Question"
    SIMPLE_REFLECTION = "Simple Reflection"
    COMPLEX_REFLECTION = "Complex Reflection"
    GIVE_INFORMATION = "Give Information"
    ADVISE_WITH_PERMISSION = "Advise with Permission"
    AFFIRM = "Affirm"
    EMPHASIZE_AUTONOMY = "Emphasize Autonomy"
    SUPPORT = "Support"
    ADVISE_WITHOUT_PERMISSION = "Advise without Permission"
    CONFRONT = "Confront"
    DIRECT = "Direct"
    WARN = "Warn"
    SELF_DISCLOSE = "Self-Disclose"
    OTHER = "Other"


class MitiCode(StrEnum):
    """Behaviour counts of MITI 4.2.1 (Moyers, Manuel and Ernst, 2015)."""

    GIVING_INFORMATION = "Giving Information"
    PERSUADE = "Persuade"
    PERSUADE_WITH_PERMISSION = "Persuade with Permission"
    QUESTION = "Question"
    SIMPLE_REFLECTION = "Simple Reflection"
    COMPLEX_REFLECTION = "Complex Reflection"
    AFFIRM = "Affirm"
    SEEKING_COLLABORATION = "Seeking Collaboration"
    EMPHASIZING_AUTONOMY = "Emphasizing Autonomy"
    CONFRONT = "Confront"


# None: MITI 4 leaves it uncoded, or has no such code (Direct and Warn are MISC's). No code of the
# 15 maps to Seeking Collaboration.
TO_MITI_4: dict[BehaviourCode, MitiCode | None] = {
    BehaviourCode.CLOSED_QUESTION: MitiCode.QUESTION,
    BehaviourCode.OPEN_QUESTION: MitiCode.QUESTION,
    BehaviourCode.SIMPLE_REFLECTION: MitiCode.SIMPLE_REFLECTION,
    BehaviourCode.COMPLEX_REFLECTION: MitiCode.COMPLEX_REFLECTION,
    BehaviourCode.GIVE_INFORMATION: MitiCode.GIVING_INFORMATION,
    BehaviourCode.ADVISE_WITH_PERMISSION: MitiCode.PERSUADE_WITH_PERMISSION,
    BehaviourCode.AFFIRM: MitiCode.AFFIRM,
    BehaviourCode.EMPHASIZE_AUTONOMY: MitiCode.EMPHASIZING_AUTONOMY,
    BehaviourCode.SUPPORT: None,
    BehaviourCode.ADVISE_WITHOUT_PERMISSION: MitiCode.PERSUADE,
    BehaviourCode.CONFRONT: MitiCode.CONFRONT,
    BehaviourCode.DIRECT: None,
    BehaviourCode.WARN: None,
    BehaviourCode.SELF_DISCLOSE: None,
    BehaviourCode.OTHER: None,
}
