"""Stage `base_model`: the model that students start from, as safetensors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from pipeline import config
from pipeline.config import Section, is_local
from pipeline.declare import Model, Uncached
from pipeline.llm.local_server import MODEL_FILE, model_path
from pipeline.sources.licences import check_licence
from pipeline.student.base_model import EMBEDDED, copy_model, dequantise


class BaseModelParams(Section):
    """Section `base_model` of params.yaml.

    `source` is `embedded` (SmolLM2-135M-Instruct from the package index), the folder of a model, or
    an id of the model hub. `licence` is the model's own, which its students inherit.
    """

    source: Annotated[str, BeforeValidator(is_local)] = EMBEDDED
    licence: str = Field(default="Apache-2.0")


def run(params: BaseModelParams, *, out: Uncached[Model], home: Path | None = None) -> None:
    """Write the base model to the folder `out`; `home` keeps what was downloaded."""
    licence = check_licence(params.licence)
    if params.source == EMBEDDED:
        name = f"{MODEL_FILE.removesuffix('.gguf')}, dequantised"
        dequantise(model_path(home or config.home()), out, name=name, licence=licence)
    else:
        copy_model(params.source, out, licence=licence)
