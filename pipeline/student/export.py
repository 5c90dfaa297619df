"""A student for other programs: adapters, one merged model, or a GGUF file; each one is checked."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline.errors import PipelineError
from pipeline.model_cards import STUDENT, model_card
from pipeline.storage import MARKER, AtomicFolder
from pipeline.student.adapters import load_model, load_tokenizer, read_adapter
from pipeline.student.base_model import read_base, write_base
from pipeline.student.saving import saving
from pipeline.student.students import Student

ExportFormat = Literal["adapters", "merged", "gguf"]
FORMATS: tuple[ExportFormat, ...] = ("adapters", "merged", "gguf")
# As the Hugging Face Hub calls what reads each form.
LIBRARIES: dict[ExportFormat, str] = {
    "adapters": "peft",
    "merged": "transformers",
    "gguf": "gguf",
}
GGUF_FILE = "model.gguf"
PROBE = "I have to tell someone about my day."
# float16 keeps 11 bits, and llama.cpp rounds what it calculates with to them as well.
TOLERANCES: dict[ExportFormat, float] = {"adapters": 1e-3, "merged": 1e-3, "gguf": 0.2}


@dataclass(frozen=True)
class Exported:
    """What was written; `finding` says what it says beside the student, `difference` in a figure.

    The figure is the greatest difference of a logit, for GGUF of a likely token's log-probability.
    """

    folder: Path
    difference: float
    finding: str


def export_student(student: Student, out: Path, form: ExportFormat) -> Exported:
    """Write `student` to the new folder `out` and compare what is there with the student itself.

    Raises PipelineError if `out` is not empty or if what was written says something else.
    """
    with AtomicFolder(out) as folder:
        difference, finding = _fill(student, folder, form)
        if not difference <= TOLERANCES[form]:
            raise PipelineError(
                f"{out}: {finding} (at most {TOLERANCES[form]:g} was expected)\n"
                "Nothing was kept; please report."
            )
        (folder / "README.md").write_text(_card(student, form, finding), encoding="utf-8")
    return Exported(out, difference, finding)


def _card(student: Student, form: ExportFormat, finding: str) -> str:
    base = read_base(student.base)
    made: dict[str, object] = {
        "form": form,
        "checked after writing": finding,
        "base": f"{base['name']} ({base['licence']}), weights sha256 `{base['sha256']}`",
    }
    for adapter in student.adapters:
        facts = read_adapter(adapter)
        made[f"adapter {adapter.name}"] = (
            f"{facts.rows} rows, content `{facts.data}`, licence of all so far: {facts.licence}; "
            f"weights sha256 `{facts.sha256}`"
        )
    return model_card(STUDENT, student.licence, made, name=student.name, library=LIBRARIES[form])


def _fill(student: Student, folder: Path, form: ExportFormat) -> tuple[float, str]:
    """Write the student into `folder`; return how far that is from it, in figure and words."""
    tokenizer = load_tokenizer(student.base)
    model = load_model(student.base, student.adapters, dtype="float32")
    if form == "gguf":
        return _as_gguf(model, tokenizer, folder / GGUF_FILE, name=student.name)
    written = _written(student, model, tokenizer, folder, form)
    difference = float(np.abs(_logits(model, tokenizer) - written).max())
    return difference, f"logits differ from the student's by at most {difference:.2g}"


def _written(student: Student, model: Any, tokenizer: Any, out: Path, form: ExportFormat) -> Any:
    """Write adapters or a merged model to `out`; return the logits of what is there."""
    if form == "adapters":
        with saving("an adapter", out):
            for adapter in student.adapters:
                shutil.copytree(adapter, out / adapter.name, ignore=shutil.ignore_patterns(MARKER))
        # Loaded the way others will: PEFT's own, one after the other.
        return _logits(_stacked(student, out), tokenizer)
    folder = out / "model"
    folder.mkdir()
    write_base(model, tokenizer, folder, name=student.model_id, licence=student.licence)
    return _logits(load_model(folder, (), dtype="float32"), load_tokenizer(folder))


def _as_gguf(model: Any, tokenizer: Any, file: Path, *, name: str) -> tuple[float, str]:
    """Write the model as GGUF; return how far llama.cpp is from it, as a figure and in words."""
    from pipeline.student.gguf import write_gguf
    from pipeline.student.llama_cpp import check_gguf

    write_gguf(model, tokenizer, file, name=name)
    check = check_gguf(file, model, tokenizer)
    return check.difference, (
        f"llama.cpp reads the same tokens and, {check.same} of {check.asked} times, names the same "
        f"next one; log-probabilities of likely tokens differ by at most {check.difference:.2g}"
    )


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
