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
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from pipeline.records import PreferencePair, Rejection, SFTExample
from pipeline.storage import write_json
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
from pipeline.student.sft import train_sft
from pipeline.student.training import Outcome

RUN_CARD = "run.json"
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "tokenizers", "numpy")

Row = TypeVar("Row", bound=BaseModel)


def teach_sft(
    rows: Iterable[SFTExample],
    params: TrainingParams,
    *,
    base: Path,
    out: Path,
    work_root: Path,
    seed: int,
) -> tuple[Outcome, tuple[Rejection, ...]]:
    """Write the adapter of the first step to `out`."""
    return _teach("sft", list(rows), params, base, (), out, work_root, seed, encode_examples)


def teach_dpo(
    rows: Iterable[PreferencePair],
    params: PreferenceParams,
    *,
    base: Path,
    parents: Sequence[Path],
    out: Path,
    work_root: Path,
    seed: int,
) -> tuple[Outcome, tuple[Rejection, ...]]:
    """Write the adapter of the second step, on top of `parents`, to `out`."""
    return _teach("dpo", list(rows), params, base, parents, out, work_root, seed, encode_pairs)


def _teach(
    kind: str,
    rows: list[Row],
    params: TrainingParams,
    base: Path,
    parents: Sequence[Path],
    out: Path,
    work_root: Path,
    seed: int,
    encode: Callable[..., EncodedRows],
) -> tuple[Outcome, tuple[Rejection, ...]]:
    facts = run_facts(kind, rows, params, base, parents, seed)
    work = work_root / content_key(facts)
    tokenizer = load_tokenizer(base)
    encoded = encode(rows, tokenizer, context=params.context)
    model = load_model(base, parents, dtype=params.dtype)
    part = work / "adapter"
    before, clock = read_microjoules(), time.monotonic()
    train: Any = train_sft if kind == "sft" else train_dpo
    outcome: Outcome = train(model, tokenizer, encoded.rows, params, work=work, out=part, seed=seed)
    _keep_adapter(part, out)
    write_facts(out, base, parents)
    write_json(
        out / RUN_CARD,
        {
            **facts,
            "trained_rows": len(encoded.rows),
            "rejected_rows": dict(Counter(one.reason for one in encoded.rejections)),
            "device": outcome.device,
            "resumed_at_step": outcome.resumed_at,
            "wall_s": round(time.monotonic() - clock, 1),
            "energy_j": joules_between(before, read_microjoules()),
            "steps": [asdict(step) for step in outcome.steps],
        },
    )
    shutil.rmtree(work)
    return outcome, encoded.rejections


def run_facts(
    kind: str,
    rows: Sequence[BaseModel],
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
        "data": content_key([row.model_dump(mode="json") for row in rows]),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _keep_adapter(part: Path, out: Path) -> None:
    """Put what TRL saved at `out`; its README has nothing to say about this adapter."""
    (part / "README.md").unlink(missing_ok=True)
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(part, out)
