"""Trainings repeat themselves and survive a kill."""

from __future__ import annotations

import json
import math
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.storage import file_sha256
from pipeline.student import training
from pipeline.student.adapters import WEIGHTS, read_adapter
from pipeline.student.params import TrainingParams
from pipeline.student.teach import Taught, teach_sft
from tests.student.lessons import SFT, dpo, sft, weights
from tests.tiny import examples


def test_the_loss_of_the_first_step_goes_down(
    undisturbed: tuple[Path, Taught, Taught],
) -> None:
    steps = undisturbed[1].steps

    assert steps[-1].loss < steps[0].loss - 0.1


def test_the_first_loss_of_the_second_step_is_ln_2(
    undisturbed: tuple[Path, Taught, Taught],
) -> None:
    assert undisturbed[2].steps[0].loss == pytest.approx(math.log(2), abs=1e-3)


def test_the_same_seed_gives_the_same_adapters(
    base: Path, tmp_path: Path, undisturbed: tuple[Path, Taught, Taught]
) -> None:
    sft(base, tmp_path)
    dpo(base, tmp_path)

    assert weights(tmp_path) == weights(undisturbed[0])


def test_the_settings_of_an_adapter_are_written_in_one_order(
    undisturbed: tuple[Path, Taught, Taught],
) -> None:
    for step in ("sft", "dpo"):
        names = json.loads((undisturbed[0] / step / "adapter_config.json").read_text())[
            "target_modules"
        ]
        assert names == sorted(names)


def test_another_seed_gives_another_adapter(
    base: Path, tmp_path: Path, undisturbed: tuple[Path, Taught, Taught]
) -> None:
    sft(base, tmp_path, seed=8)

    assert file_sha256(tmp_path / "sft" / WEIGHTS) != weights(undisturbed[0])[0]


def kill_after(steps: int, train: Callable[[Path, Path], Taught], base: Path, folder: Path) -> None:
    """Train in a process of its own that is killed before step `steps` + 1."""
    child = os.fork()
    if child == 0:
        begun = 0
        begin = training._StepClock.begin

        def counted(clock: training._StepClock) -> None:
            nonlocal begun
            begun += 1
            if begun > steps:
                os.kill(os.getpid(), signal.SIGKILL)
            begin(clock)

        training._StepClock.begin = counted  # type: ignore[method-assign]
        try:
            train(base, folder)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


# Before the first step, before a checkpoint, right after one, and before the last step.
KILLS = [
    pytest.param(step, at, marks=() if (step, at) in {("sft", 5), ("dpo", 3)} else pytest.mark.slow)
    for step in ("sft", "dpo")
    for at in (0, 3, 4, 5, 9)
]


@pytest.mark.parametrize(("step", "at"), KILLS)
def test_a_killed_training_ends_with_the_weights_of_an_undisturbed_one(
    base: Path, tmp_path: Path, undisturbed: tuple[Path, Taught, Taught], step: str, at: int
) -> None:
    if step == "dpo":
        sft(base, tmp_path)
    train = {"sft": sft, "dpo": dpo}[step]
    kill_after(at, train, base, tmp_path)
    assert not (tmp_path / step).exists()

    again = train(base, tmp_path)

    assert again.card["resumed_at_step"] == (at - at % 2 or None)
    assert file_sha256(tmp_path / step / WEIGHTS) == weights(undisturbed[0])[step == "dpo"]
    whole = undisturbed[1 if step == "sft" else 2].steps
    assert [one.loss for one in again.steps] == [one.loss for one in whole]


def test_a_checkpoint_that_was_cut_off_is_not_used(
    base: Path, tmp_path: Path, undisturbed: tuple[Path, Taught, Taught]
) -> None:
    kill_after(5, sft, base, tmp_path)
    last = max(tmp_path.glob("work/*/checkpoint-*"), key=lambda one: one.name)
    (last / "complete").unlink()
    (last / "optimizer.pt").write_bytes(b"half")

    again = sft(base, tmp_path)

    assert again.card["resumed_at_step"] == 2
    assert file_sha256(tmp_path / "sft" / WEIGHTS) == weights(undisturbed[0])[0]


def test_a_changed_setting_starts_anew(base: Path, tmp_path: Path) -> None:
    kill_after(5, sft, base, tmp_path)

    again = sft(base, tmp_path, SFT.model_copy(update={"learning_rate": 2e-2}))

    assert again.card["resumed_at_step"] is None


def test_accumulated_batches_make_the_step_of_one_large_batch(base: Path, tmp_path: Path) -> None:
    wide = TrainingParams(batch_size=4, epochs=1, learning_rate=1e-2)
    thin = wide.model_copy(update={"batch_size": 2, "accumulation": 2})
    rows = examples(4)

    losses = [
        teach_sft(rows, one, base=base, out=tmp_path / "a", seed=1, checkpoints=tmp_path / "w")
        for one in (wide, thin)
    ]

    assert losses[0].steps[0].loss == pytest.approx(losses[1].steps[0].loss, abs=1e-4)


def test_only_the_last_layers_are_trained_where_that_is_asked_for(
    base: Path, tmp_path: Path
) -> None:
    from safetensors.numpy import load_file

    sft(base, tmp_path, SFT.model_copy(update={"top_layers": 1}))

    names = load_file(str(tmp_path / "sft" / WEIGHTS))
    assert names
    assert all(".layers.1." in name for name in names)


def test_an_adapter_says_what_it_was_trained_on(
    base: Path, undisturbed: tuple[Path, Taught, Taught]
) -> None:
    folder, _, second = undisturbed

    facts = read_adapter(folder / "dpo")

    assert facts.base == "tiny-0"
    assert facts.parents == (read_adapter(folder / "sft").sha256,)
    assert facts.licence == "Apache-2.0"
    assert second.card["rows"] == 9
    assert second.card["packages"]["torch"]


def test_the_reference_is_asked_once(
    base: Path,
    tmp_path: Path,
    undisturbed: tuple[Path, Taught, Taught],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import pipeline.student.dpo as module

    sft(base, tmp_path)
    asked: list[Callable[..., object]] = []
    plain = module.answer_log_probs
    monkeypatch.setattr(
        module, "answer_log_probs", lambda *given: asked.append(plain) or plain(*given)
    )

    steps = len(dpo(base, tmp_path).steps)

    assert len(asked) == steps + 5  # five batches hold the nine pairs
    assert np.isfinite([one.margin for one in undisturbed[2].steps]).all()
