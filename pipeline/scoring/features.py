"""Combinations of features by name, such as `15V2+MITI`.

A family's features all begin with its prefix. `MITI` are the codes as published, the copied column
included; `MITI recoded` has the codes of our own coder in place of that column. `rated ...` is what
a rater model says of the whole; `endpoint:<model>` are the vectors of an embedding endpoint.
"""

from __future__ import annotations

from pipeline.errors import PipelineError
from pipeline.features.table import FeatureTable

FAMILIES: dict[str, str] = {
    "15V1": "v1",
    "15V2": "v2",
    "MITI": "published",
    "MITI recoded": "recoded",
    "MITI coded": "coded",
    "text": "text",
    "words": "words",
    "MiniLM": "response",
    "MiniLM exchange": "exchange",
    "type": "type",
    "length": "length",
    "rated naive": "naive",
    "rated dimensions": "dimensions",
}
ENDPOINT = "endpoint:"
# Made by a language model that was asked to rate; a coder that was trained on codes is none.
LLM_MADE = frozenset({"15V1", "15V2", "rated naive", "rated dimensions"})


def combination(table: FeatureTable, name: str) -> FeatureTable:
    """Return the features of the families that `name` joins by `+`; "none" is no feature."""
    if name == "none":
        return table.columns(())
    families = name.split("+")
    unknown = [one for one in families if one not in FAMILIES and not one.startswith(ENDPOINT)]
    if unknown:
        raise PipelineError(
            f"features {name!r}: no family {unknown[0]!r}\n"
            f"There are: {', '.join(FAMILIES)}, {ENDPOINT}<model>"
        )
    for one in families:
        if not table.group(FAMILIES.get(one, one)).names and (why := _asked_of_a_model(one)):
            raise PipelineError(f"features {name!r}: the table has none of {one}\n{why}")
    return table.group(*(FAMILIES.get(one, one) for one in families))


def _asked_of_a_model(family: str) -> str | None:
    """Return how a family comes about that somebody has to be asked for; None for the others."""
    if family.startswith(ENDPOINT):
        return f"Set llm.embedder to {family.removeprefix(ENDPOINT)}, then: dvc repro featurize"
    if family in LLM_MADE:
        return "Set llm.rater to a model that tells responses apart; evaluate_scorers reads it."
    return None
