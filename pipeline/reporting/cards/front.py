"""The YAML at the head of a card, as the Hugging Face Hub reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.layout import place
from pipeline.reporting.facts import Fact, Facts, NotBuilt
from pipeline.sources.licences import hub_licence

# https://huggingface.co/docs/datasets/repository_structure
SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
LARGER = "10M<n<100M"


def size_category(rows: int) -> str:
    """Return the Hub's word for a number of rows."""
    return next((name for limit, name in SIZES if rows < limit), LARGER)


def dataset_front(
    name: str,
    facts: Facts,
    tables: Fact,
    *,
    licence: str | None,
    configs: Sequence[Mapping[str, Any]] | None,
) -> str:
    """Return the YAML of a dataset card; `configs` as in `corpus_card`."""
    from huggingface_hub import DatasetCardData

    strict = [tables["sft"], tables["preferences_strict"]]
    source = facts.need(place("ingest.metrics"))
    machine = source["synthetic"].raw in ("all", "part") or any(one["models"] for one in tables)
    found = source["synthetic"].raw != "all"
    language = _language(name, facts)
    values: dict[str, Any] = {
        "pretty_name": f"Empathy Distillery: {name}",
        "language": [language] if language else None,
        **hub_licence(licence),
        "size_categories": [size_category(sum(one["rows"].raw for one in strict))],
        "task_categories": ["text-generation"],
        "tags": ["empathy", "distillation", "preference", *(["synthetic"] if machine else [])],
        "source_datasets": [f"extended|other-{source['source'].raw}"],
        "language_creators": [
            *(["found"] if found else []),
            *(["machine-generated"] if machine else []),
        ],
        "annotations_creators": ["found" if found else "machine-generated"],
        "synthetic": machine,
        "configs": [dict(one) for one in configs] if configs else None,
    }
    return str(DatasetCardData(**values).to_yaml())


def _language(name: str, facts: Facts) -> str | None:
    """Return the language that the audit found most, None where it has not looked."""
    summary = facts.find(f"{place('findings')}/sft-{name}/summary.json")
    if isinstance(summary, NotBuilt):
        return None
    found = summary["detectors"].get("wrong_language")
    language = found["figures"].get("main_language") if found else None
    return str(language.raw) if language else None
