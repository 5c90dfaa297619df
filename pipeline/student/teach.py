"""One adapter from rows of training data: encode, train, and say what was done.

Checkpoints are kept under a name that depends on everything that the result depends on: data,
settings, seed, models below and libraries. A run that was killed is found again by it, and a run
with anything changed starts anew.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.errors import MissingFileError, TableError
from pipeline.records import PreferencePair, Rejection, SFTExample
from pipeline.storage import AtomicFolder
from pipeline.student.adapters import (
    content_key,
    load_model,
    load_tokenizer,
    read_adapter,
    write_facts,
)
from pipeline.student.base_model import read_base
from pipeline.student.dpo import train_dpo
from pipeline.student.encoding import EncodedRows, encode_examples, encode_pairs
from pipeline.student.energy import joules_between, read_microjoules
from pipeline.student.params import PreferenceParams, TrainingParams
from pipeline.student.saving import saving
from pipeline.student.sft import train_sft
from pipeline.student.training import Outcome, StepLog

# Outside DVC's outputs, which DVC may delete before a stage runs.
ADAPTER = "adapter"
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "tokenizers", "numpy")


@dataclass(frozen=True)
class Taught:
    """What a training brought besides the adapter; `card` is JSON and tells all that it took."""

    card: dict[str, Any]
    steps: tuple[StepLog, ...]
    rejections: tuple[Rejection, ...]


def teach_sft(
    rows: Iterable[SFTExample],
    params: TrainingParams,
    *,
    base: Path,
    out: Path,
    seed: int,
    checkpoints: Path,
) -> Taught:
    """Write the adapter of the first step to `out`."""
    found = list(rows)
    facts = run_facts("sft", found, params, base, (), seed)
    encode = partial(encode_examples, found)
    return _teach(facts, encode, train_sft, params, base, (), out, checkpoints, seed)


def teach_dpo(
    rows: Iterable[PreferencePair],
    params: PreferenceParams,
    *,
    base: Path,
    parents: Sequence[Path],
    out: Path,
    seed: int,
    checkpoints: Path,
) -> Taught:
    """Write the adapter of the second step, on top of `parents`, to `out`."""
    found = list(rows)
    facts = run_facts("dpo", found, params, base, parents, seed)
    encode = partial(encode_pairs, found)
    return _teach(facts, encode, train_dpo, params, base, parents, out, checkpoints, seed)


def _teach(
    facts: dict[str, Any],
    encode: Callable[..., EncodedRows],
    train: Callable[..., Outcome],
    params: TrainingParams,
    base: Path,
    parents: Sequence[Path],
    out: Path,
    checkpoints: Path,
    seed: int,
) -> Taught:
    work = checkpoints / content_key(facts)
    tokenizer = load_tokenizer(base)
    encoded = encode(tokenizer, context=params.context)
    model = load_model(base, parents, dtype=params.dtype)
    before, clock = read_microjoules(), time.monotonic()
    outcome = train(
        model, tokenizer, encoded.rows, params, work=work, out=work / ADAPTER, seed=seed
    )
    _keep_adapter(work / ADAPTER, out, base, parents, facts)
    shutil.rmtree(work)
    card = {
        **facts,
        "trained_rows": len(encoded.rows),
        "rejected_rows": dict(Counter(one.reason for one in encoded.rejections)),
        "device": outcome.device,
        "resumed_at_step": outcome.resumed_at,
        "wall_s": round(time.monotonic() - clock, 1),
        "steps_s": round(sum(step.seconds for step in outcome.steps), 1),
        "energy_j": joules_between(before, read_microjoules()),
        "adapter_sha256": read_adapter(out).sha256,
    }
    return Taught(card, outcome.steps, encoded.rejections)


def run_facts(
    kind: str,
    rows: Sequence[SFTExample | PreferencePair],
    params: TrainingParams,
    base: Path,
    parents: Sequence[Path],
    seed: int,
) -> dict[str, Any]:
    """Return everything that the result depends on, as JSON."""
    return {
        "kind": kind,
        "params": params.model_dump(mode="json", exclude={"checkpoint_steps", "device"}),
        "seed": seed,
        "base": read_base(base)["sha256"],
        "parents": [read_adapter(one).sha256 for one in parents],
        "rows": len(rows),
        "licences": sorted({row.lineage.licence for row in rows}),
        "data": content_key([row.model_dump(mode="json") for row in rows]),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _keep_adapter(
    trained: Path, out: Path, base: Path, parents: Sequence[Path], facts: dict[str, Any]
) -> None:
    """Put what TRL saved at `out`, with what it was trained on, whole or as it was.

    TRL's README says nothing of this adapter, and stays behind.
    """
    with AtomicFolder(out, what="adapter", known=_is_adapter) as folder:
        with saving("the adapter", out):
            shutil.copytree(
                trained, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("README.md")
            )
        write_facts(folder, base, parents, run=facts)


def _is_adapter(folder: Path) -> bool:
    """Return whether `folder` holds an adapter of ours; it had no marker at first."""
    try:
        return bool(read_adapter(folder).sha256)
    except (MissingFileError, TableError, ValidationError):
        return False
