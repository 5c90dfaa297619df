"""A student for other programs: adapters, one merged model, or a GGUF file; each one is checked."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline.errors import PipelineError
from pipeline.student.adapters import load_model, load_tokenizer
from pipeline.student.base_model import save_base
from pipeline.student.model_card import write_model_card
from pipeline.student.students import Student

ExportFormat = Literal["adapters", "merged", "gguf"]
FORMATS: tuple[ExportFormat, ...] = ("adapters", "merged", "gguf")
GGUF_FILE = "model.gguf"
PROBE = "I have to tell someone about my day."
# float16 keeps 11 bits; logits are some tens.
TOLERANCES: dict[ExportFormat, float] = {"adapters": 1e-3, "merged": 1e-3, "gguf": 0.5}


@dataclass(frozen=True)
class Exported:
    """What was written; `difference` is the greatest one between a logit of it and of ours."""

    folder: Path
    difference: float


def export_student(student: Student, out: Path, form: ExportFormat) -> Exported:
    """Write `student` to the new folder `out` and compare what is there with the student itself.

    Raises PipelineError if `out` is not empty or if what was written says something else.
    """
    if out.exists() and any(out.iterdir()):
        raise PipelineError(f"{out}: not empty\nGive --out a new or empty folder.")
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer(student.base)
    model = load_model(student.base, student.adapters, dtype="float32")
    wanted = _logits(model, tokenizer)
    if form == "adapters":
        for adapter in student.adapters:
            shutil.copytree(adapter, out / adapter.name)
        # Loaded the way others will: PEFT's own, one after the other.
        found = _logits(_stacked(student, out), tokenizer)
    elif form == "merged":
        folder = out / "model"
        save_base(model, tokenizer, folder, name=student.model_id, licence=student.licence)
        found = _logits(load_model(folder, (), dtype="float32"), load_tokenizer(folder))
    else:
        from pipeline.student.gguf import read_gguf, write_gguf

        write_gguf(model, tokenizer, out / GGUF_FILE, name=student.name)
        found = _logits(read_gguf(model, out / GGUF_FILE), tokenizer)
    difference = float(np.abs(wanted - found).max())
    if not difference <= TOLERANCES[form]:
        raise PipelineError(
            f"{out}: the exported model's logits differ by up to {difference:.3g} from the "
            f"student's (at most {TOLERANCES[form]:g} was expected)\nDo not use it; please report."
        )
    write_model_card(out / "README.md", student, form, difference)
    return Exported(out, difference)


def _stacked(student: Student, out: Path) -> Any:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        str(student.base), dtype="float32", use_safetensors=True, trust_remote_code=False
    )
    for adapter in student.adapters:
        model = PeftModel.from_pretrained(model, str(out / adapter.name)).merge_and_unload()
    return model


def _logits(model: Any, tokenizer: Any) -> np.ndarray[Any, Any]:
    """Return what the model says after each token of a fixed text."""
    import torch

    ids = torch.tensor([tokenizer.encode(PROBE)])
    with torch.no_grad():
        found: np.ndarray[Any, Any] = model.eval()(input_ids=ids).logits[0].float().numpy()
    return found
