"""The cheap way to score answers says what the plain way says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pipeline.student.adapters import load_model, load_tokenizer
from pipeline.student.encoding import Encoded, encode_examples, encode_pairs
from pipeline.student.log_probs import answer_log_probs, collate, count_tokens
from tests.tiny import examples, pairs


def _plainly(model: torch.nn.Module, prompt: tuple[int, ...], answer: tuple[int, ...]) -> float:
    ids = torch.tensor([[*prompt, *answer]])
    with torch.no_grad():
        says = model(input_ids=ids).logits[0].log_softmax(-1)
    places = range(len(prompt) - 1, ids.shape[1] - 1)
    return sum(float(says[at, ids[0, at + 1]]) for at in places)


def _rows(base: Path, *, paired: bool) -> tuple[Encoded, ...]:
    tokenizer = load_tokenizer(base)
    if paired:
        return encode_pairs(pairs(5), tokenizer, context=512).rows
    return encode_examples(examples(5), tokenizer, context=512).rows


@pytest.mark.parametrize("paired", [False, True])
def test_an_answers_log_probability_is_that_of_its_tokens_one_by_one(
    base: Path, paired: bool
) -> None:
    model, rows = load_model(base, (), dtype="float32"), _rows(base, paired=paired)

    with torch.no_grad():
        found = answer_log_probs(model, collate(rows))

    sides = len(rows[0].answers)
    wanted = [_plainly(model, row.prompt, row.answers[at]) for at in range(sides) for row in rows]
    assert found.tolist() == pytest.approx(wanted, abs=1e-4)


def test_padding_is_not_counted(base: Path) -> None:
    rows = _rows(base, paired=True)

    assert count_tokens(collate(rows)) == sum(
        len(row.prompt) + sum(map(len, row.answers)) for row in rows
    )
