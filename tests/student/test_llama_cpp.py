"""What a GGUF file of ours says in the engine that people run it with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.errors import PipelineError
from pipeline.student.adapters import load_model, load_tokenizer
from pipeline.student.gguf import write_gguf
from pipeline.student.llama_cpp import check_gguf
from pipeline.student.students import find_student
from pipeline.workspace import PROJECT


def written(base: Path, folder: Path) -> tuple[Path, Any, Any]:
    model, tokenizer = load_model(base, (), dtype="float32"), load_tokenizer(base)
    write_gguf(model, tokenizer, folder / "model.gguf", name="tiny")
    return folder / "model.gguf", model, tokenizer


def test_llama_cpp_reads_the_same_tokens_and_says_the_same(base: Path, tmp_path: Path) -> None:
    check = check_gguf(*written(base, tmp_path))

    assert check.same == check.asked > 50
    assert check.difference < 1e-3
    assert [one.name for one in tmp_path.iterdir()] == ["model.gguf"]


def test_other_weights_are_noticed(base: Path, tmp_path: Path) -> None:
    """Heads whose halves are not interleaved are the fault that this file format invites."""
    file, model, tokenizer = written(base, tmp_path)
    with torch.no_grad():
        query = model.model.layers[0].self_attn.q_proj.weight
        query.copy_(20 * query.flip(0))

    assert check_gguf(file, model, tokenizer).difference > 0.01


def test_a_tokenizer_that_reads_otherwise_is_refused(base: Path, tmp_path: Path) -> None:
    file, model, tokenizer = written(base, tmp_path)
    tokenizer.backend_tokenizer.pre_tokenizer.add_prefix_space = True

    with pytest.raises(PipelineError, match=r"llama\.cpp reads .* as the tokens \["):
        check_gguf(file, model, tokenizer)


def test_a_template_that_renders_otherwise_is_refused(base: Path, tmp_path: Path) -> None:
    file, model, tokenizer = written(base, tmp_path)
    tokenizer.chat_template = "{{ messages[0]['content'] }}"

    with pytest.raises(PipelineError, match=r"llama\.cpp renders a conversation as '<user>"):
        check_gguf(file, model, tokenizer)


def test_a_tokenizer_that_the_format_cannot_carry_is_refused(base: Path, tmp_path: Path) -> None:
    from tokenizers import pre_tokenizers

    model, tokenizer = load_model(base, (), dtype="float32"), load_tokenizer(base)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()

    with pytest.raises(PipelineError, match="cuts text by Metaspace"):
        write_gguf(model, tokenizer, tmp_path / "model.gguf", name="tiny")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_samples_student_says_the_same_in_llama_cpp(tmp_path: Path) -> None:
    students = PROJECT / "datasets" / "students"
    if not (students / "human-sequential" / "dpo" / "adapter.json").is_file():
        pytest.skip("the sample's student is not built (make repro)")
    student = find_student(students / "human-sequential" / "dpo", base=students / "base_model")
    model, tokenizer = (
        load_model(student.base, student.adapters, dtype="float32"),
        load_tokenizer(student.base),
    )
    write_gguf(model, tokenizer, tmp_path / "model.gguf", name="student")

    check = check_gguf(tmp_path / "model.gguf", model, tokenizer)

    assert check.same >= check.asked - 2  # two tokens may be as likely
    assert check.difference < 0.1
