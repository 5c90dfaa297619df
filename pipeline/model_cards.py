"""Cards of models: what each kind is for, what it cannot do, and the card that lies beside it.

The cards of a build (`reporting.cards`) add its figures, each traced to its file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.sources.licences import hub_licence, may_be_published


@dataclass(frozen=True)
class Kind:
    """A kind of model; `library`, `pipeline_tag` and `tags` are words of the Hugging Face Hub."""

    title: str
    what: str
    use: str
    limits: tuple[str, ...]
    library: str
    pipeline_tag: str
    tags: tuple[str, ...]

    def front(self, licence: str, *tags: str, library: str | None = None) -> str:
        """Return the YAML at the head of a card; `library` is another than the usual one."""
        from huggingface_hub import ModelCardData

        words: dict[str, Any] = {
            "library_name": library or self.library,
            "pipeline_tag": self.pipeline_tag,
            "tags": ["empathy", "dialogue", *self.tags, *tags],
            **hub_licence(licence),
        }
        return str(ModelCardData(**words).to_yaml())


SCORER = Kind(
    title="Empathy scorer",
    what="Gives a response the probabilities of being bad (1), okay (2) or good (3).",
    use="For research on empathy in single replies, and for choosing what people should look at. "
    "Not for decisions about people, and not in conversations where somebody may be in danger.",
    limits=(
        "Ratings are those of single raters, who differ: no item's label is certain.",
        "Behaviour codes are MITI-style features of single replies and say nothing of anyone's "
        "competence.",
        "It has seen one source; `distillery score` says which replies are unlike what it was "
        "trained on.",
    ),
    library="skops",
    pipeline_tag="text-classification",
    tags=("ordinal", "skops"),
)
REWARD = Kind(
    title="Reward model",
    what="Gives a response to an exchange a number: the higher, the more a rater is expected to "
    "prefer it.",
    use="For ranking replies in research: best of several, or what people should look at. Not a "
    "measure of anyone's empathy, and not for conversations where somebody may be in danger.",
    limits=(
        "It prefers what single raters of one source preferred; another rater may differ.",
        "What is rewarded is learned: watch length, repetition and set phrases wherever it steers "
        "a model.",
    ),
    library="safetensors",
    pipeline_tag="text-ranking",
    tags=("reward-model",),
)
STUDENT = Kind(
    title="Student",
    what="A small language model that answers one turn of a conversation.",
    use="For research on how a small model learns to answer with empathy. Not for therapy, not in "
    "conversations where somebody may be in danger, and never without telling people that they "
    "talk to a machine.",
    limits=(
        "It is no counsellor and no help in an emergency; do not put it between a person in need "
        "and people who can help.",
        "It was taught with text of another model: it may sound understanding without "
        "understanding, repeat and contradict itself, and invent.",
        "What raters of one study liked is what it learned to say; that is not empathy. A judge's "
        "preference is not a person's.",
        "It was trained on single turns in one language; it does not know what was said before.",
    ),
    library="peft",
    pipeline_tag="text-generation",
    tags=("lora",),
)


def model_card(
    kind: Kind,
    licence: str,
    facts: Mapping[str, object],
    *,
    name: str | None = None,
    library: str | None = None,
) -> str:
    """Return the card of one model, in Markdown, with a table of `facts`."""
    may = (
        f"{licence}, the most restrictive licence of what it is made from."
        if may_be_published(licence)
        else "None of the data's owners stated a licence: **do not publish this model.**"
    )
    rows = "".join(f"\n| {what} | {value} |" for what, value in facts.items())
    limits = "\n".join(f"- {limit}" for limit in kind.limits)
    parts = [f"# {name or kind.title}", kind.what, f"| what | value |\n|---|---|{rows}"]
    parts += ["## Licence", may, "## Intended use", kind.use, "## Known limits", limits]
    return (
        f"---\n{kind.front(licence, library=library).strip()}\n---\n\n" + "\n\n".join(parts) + "\n"
    )
