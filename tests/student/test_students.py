"""An adapter is used with the base and the adapters it was trained on, or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.errors import GateFailedError, MissingFileError, PipelineError, TableError
from pipeline.storage import write_json
from pipeline.student.adapters import load_model
from pipeline.student.base_model import CARD, copy_model, read_base
from pipeline.student.encoding import encode_examples, require_chat_template
from pipeline.student.export import FORMATS, ExportFormat, export_student
from pipeline.student.gate import require_passed
from pipeline.student.params import PreferenceParams, TrainingParams
from pipeline.student.students import find_student
from pipeline.student.teach import teach_dpo, teach_sft
from tests.tiny import examples, pairs, tiny_base, tiny_tokenizer


@pytest.fixture(scope="module")
def students(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the adapters of both steps."""
    folder = tmp_path_factory.mktemp("students") / "corpus"
    settings: dict[str, Any] = {"batch_size": 4, "learning_rate": 5e-2, "epochs": 1}
    work = folder.parent / "work"
    teach_sft(
        examples(4),
        TrainingParams(**settings),
        base=base,
        out=folder / "sft",
        seed=1,
        checkpoints=work,
    )
    teach_dpo(
        pairs(4),
        PreferenceParams(**settings),
        base=base,
        parents=(folder / "sft",),
        out=folder / "dpo",
        seed=1,
        checkpoints=work,
    )
    return folder


def test_a_student_is_found_with_the_adapters_below_it(students: Path, base: Path) -> None:
    student = find_student(students / "dpo", base=base)

    assert student.adapters == (students / "sft", students / "dpo")
    assert student.name == "corpus/dpo"
    assert student.model_id.startswith("tiny-0+")
    assert find_student(base).adapters == ()


def test_an_adapter_of_another_base_is_refused(students: Path, tmp_path: Path) -> None:
    other = tiny_base(tmp_path / "other", seed=5)

    with pytest.raises(PipelineError, match=r"belongs to another base model \(tiny-0.*tiny-5"):
        find_student(students / "sft", base=other)


def test_an_adapter_without_the_one_below_it_is_refused(
    students: Path, base: Path, tmp_path: Path
) -> None:
    shutil.copytree(students / "dpo", tmp_path / "alone" / "dpo")

    with pytest.raises(MissingFileError, match="was trained on top of adapter"):
        find_student(tmp_path / "alone" / "dpo", base=base)
    with pytest.raises(PipelineError, match="trained on top of 1 other"):
        load_model(base, (students / "dpo",), dtype="float32")


def test_what_is_no_student_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="Name the folder of a model or of an adapter"):
        find_student(tmp_path, base=tmp_path)


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_says_what_the_student_says(
    students: Path, base: Path, tmp_path: Path, form: ExportFormat
) -> None:
    student = find_student(students / "dpo", base=base)

    done = export_student(student, tmp_path / "out", form)

    assert done.difference < (1e-3 if form == "gguf" else 1e-4)
    assert done.finding in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    files = {one.suffix for one in (tmp_path / "out").rglob("*") if one.is_file()}
    assert files <= {".safetensors", ".json", ".jinja", ".md", ".gguf"}


def test_the_card_of_an_export_tells_lineage_licence_and_limits(
    students: Path, base: Path, tmp_path: Path
) -> None:
    export_student(find_student(students / "dpo", base=base), tmp_path / "out", "adapters")

    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")

    assert "license: apache-2.0" in card
    assert read_base(base)["sha256"] in card
    assert "| adapter sft | 4 rows" in card
    assert "| adapter dpo | 4 rows" in card
    assert "no counsellor" in card


def test_an_export_overwrites_nothing(students: Path, base: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")

    with pytest.raises(PipelineError, match="not empty"):
        export_student(find_student(students / "sft", base=base), tmp_path, "adapters")


def test_any_local_model_can_be_the_base(base: Path, tmp_path: Path) -> None:
    copy_model(str(base), tmp_path / "copy", licence="Apache-2.0")

    assert (tmp_path / "copy" / CARD).is_file()
    ours, theirs = (load_model(one, (), dtype="float32") for one in (base, tmp_path / "copy"))
    assert torch.equal(ours.lm_head.weight, theirs.lm_head.weight)


@pytest.mark.parametrize("source", ["./nowhere", "/nowhere/at/all", "nobody/nothing"])
def test_a_base_that_is_not_there_is_said(tmp_path: Path, source: str) -> None:
    with pytest.raises(PipelineError, match=r"nowhere|nobody/nothing: cannot be loaded"):
        copy_model(source, tmp_path / "out", licence="Apache-2.0")


def test_a_tokenizer_without_a_chat_template_is_said() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = None

    with pytest.raises(PipelineError, match="no chat template"):
        require_chat_template(tokenizer)
    with pytest.raises(PipelineError, match="no chat template"):
        encode_examples(examples(1), tokenizer, context=100)


@pytest.mark.parametrize(
    ("passed", "figures", "problem"),
    [
        (False, {}, "validation found critical faults"),
        (True, {"critical": 2}, r"the audit says no to sft-a \(2 critical\)"),
        (True, {"failed_detectors": ["x"]}, "detectors failed: x"),
    ],
)
def test_data_that_failed_its_checks_is_not_trained_on(
    tmp_path: Path, passed: bool, figures: dict[str, object], problem: str
) -> None:
    clean = {"critical": 0, "waived": 0, "failed_detectors": []}
    write_json(tmp_path / "validation.json", {"passed": passed})
    write_json(tmp_path / "audit.json", {"sft-a": {**clean, **figures}})

    with pytest.raises(GateFailedError, match=problem):
        require_passed(
            "a", "sft-a", validation=tmp_path / "validation.json", audit=tmp_path / "audit.json"
        )


def test_a_corpus_that_nobody_audited_is_not_trained_on(tmp_path: Path) -> None:
    write_json(tmp_path / "validation.json", {"passed": True})
    write_json(tmp_path / "audit.json", {})

    with pytest.raises(TableError, match="nothing is said about sft-a"):
        require_passed(
            "a", "sft-a", validation=tmp_path / "validation.json", audit=tmp_path / "audit.json"
        )
