"""Adapters on disk: what was learned, and of which model.

A student is a base model and the adapters that were trained on top of it, one after the other.
Each adapter's folder says which base it belongs to and which adapters come before it, so that it is
never put on another model in silence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config import Section
from pipeline.errors import MissingFileError, PipelineError
from pipeline.sources.licences import most_restrictive
from pipeline.storage import file_sha256, read_json, read_json_as, write_json
from pipeline.student.base_model import read_base

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from pipeline.student.params import Dtype

FACTS = "adapter.json"
WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"


class AdapterFacts(Section):
    """What an adapter's folder says about it.

    `parents` are the hashes of the adapters under it, in order; `licence` is the most restrictive
    one of the base, the parents and the rows that it was taught by; `data` is the content key of
    those rows.
    """

    base: str
    base_sha256: str
    parents: tuple[str, ...] = ()
    sha256: str
    licence: str
    rows: int
    data: str


def load_tokenizer(base: Path) -> PreTrainedTokenizerBase:
    """Return the tokenizer of the base model in `base`."""
    from transformers import AutoTokenizer

    read_base(base)
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        str(base), trust_remote_code=False, local_files_only=True
    )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(base: Path, adapters: Sequence[Path], *, dtype: Dtype) -> PreTrainedModel:
    """Return the base model with `adapters` merged into it, in order.

    Merging is done in float32, then everything is cast: the same student comes out on whichever
    way it is loaded. Raises PipelineError if an adapter belongs to another base or place.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    check_chain(base, adapters)
    model = AutoModelForCausalLM.from_pretrained(
        str(base),
        dtype=torch.float32,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
    )
    for adapter in adapters:
        model = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    merged: PreTrainedModel = model.to(getattr(torch, dtype))
    return merged


def check_chain(base: Path, adapters: Sequence[Path]) -> None:
    """Raise PipelineError unless `adapters`, in this order, belong on the model in `base`."""
    found = read_base(base)
    below: list[str] = []
    for adapter in adapters:
        facts = read_adapter(adapter)
        if facts.base_sha256 != found["sha256"]:
            raise PipelineError(
                f"{adapter}: this adapter belongs to another base model ({facts.base}, weights "
                f"{facts.base_sha256[:12]}), not to {base} ({found['name']}, weights "
                f"{found['sha256'][:12]})\nTrain it again, or name the base it was trained on."
            )
        if list(facts.parents) != below:
            raise PipelineError(
                f"{adapter}: this adapter was trained on top of {len(facts.parents)} other(s) "
                f"({', '.join(one[:12] for one in facts.parents) or 'none'}), here it follows "
                f"{', '.join(one[:12] for one in below) or 'none'}\n"
                "Train it again after the step before it."
            )
        below.append(facts.sha256)


def read_adapter(folder: Path) -> AdapterFacts:
    """Return what the adapter in `folder` says about itself."""
    if not (folder / WEIGHTS).is_file():
        raise MissingFileError(folder / WEIGHTS, hint="Train it first: dvc repro train_sft")
    return read_json_as(folder / FACTS, AdapterFacts, hint="Train it again: dvc repro train_sft")


def write_facts(
    folder: Path, base: Path, parents: Sequence[Path], *, run: Mapping[str, Any]
) -> None:
    """Say in `folder` what the adapter in it was trained on; `run` are the facts of its run."""
    # peft keeps the names of the taught modules as a set, which has another order on every run.
    config = read_json(folder / CONFIG)
    write_json(folder / CONFIG, {**config, "target_modules": sorted(config["target_modules"])})
    card = read_base(base)
    below = [read_adapter(one) for one in parents]
    facts = AdapterFacts(
        base=card["name"],
        base_sha256=card["sha256"],
        parents=tuple(one.sha256 for one in below),
        sha256=file_sha256(folder / WEIGHTS),
        licence=most_restrictive(
            {*run["licences"], card["licence"], *(one.licence for one in below)}
        ),
        rows=run["rows"],
        data=run["data"],
    )
    write_json(folder / FACTS, facts.model_dump())


def content_key(*parts: Any) -> str:
    """Return 16 hex digits that depend on `parts`, which must be JSON."""
    import json

    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
