"""The card of a corpus that was exported before it was counted and described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.reporting.cards.rendering import Card, render_card
from pipeline.sources.licences import hub_licence, may_be_published


def unmeasured_card(
    name: str, licence: str, configs: Sequence[Mapping[str, Any]] | None, command: str
) -> Card:
    """Return a card that states the licence of the rows, and that nothing else is measured yet.

    `command` measures it; `configs` are as in `corpus_card`.
    """
    from huggingface_hub import DatasetCardData

    front: dict[str, Any] = {
        "pretty_name": f"Empathy Distillery: {name}",
        **hub_licence(licence),
        "task_categories": ["text-generation"],
        "tags": ["empathy", "distillation", "preference"],
        "configs": [dict(one) for one in configs] if configs else None,
    }
    return render_card(
        "unmeasured.md.j2",
        str(DatasetCardData(**front).to_yaml()),
        name=name,
        licence=licence,
        may_be_published=may_be_published(licence),
        command=command,
    )
