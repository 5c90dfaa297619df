"""Wherever a save is cut off, the training goes on and ends with the same weights."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.storage import file_sha256
from pipeline.student.adapters import WEIGHTS
from pipeline.student.checkpoints import last_checkpoint
from pipeline.student.teach import Taught
from tests.student.disturbing import copies_of, kill_at, kill_when
from tests.student.lessons import DPO, SFT, dpo, sft, weights

# Five steps, a checkpoint after each.
EACH_STEP = SFT.model_copy(update={"epochs": 1, "checkpoint_steps": 1})


def trained(base: Path, folder: Path) -> Taught:
    return sft(base, folder, EACH_STEP)


@pytest.fixture(scope="module")
def whole(base: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the hash of the adapter that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    trained(base, folder)
    return file_sha256(folder / "sft" / WEIGHTS)


@pytest.fixture(scope="module")
def states(base: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return what a kill could have left of the checkpoints, in the order of the training."""
    folder = tmp_path_factory.mktemp("states")
    return copies_of(folder / "work", folder / "copies", lambda: trained(base, folder))


@pytest.mark.parametrize("share", [20, pytest.param(1, marks=pytest.mark.slow)])
def test_a_training_goes_on_from_whatever_a_kill_left_of_its_checkpoints(
    base: Path, tmp_path: Path, whole: str, states: list[Path], share: int
) -> None:
    # The last ones are those of the end, when the checkpoints themselves are removed.
    chosen = {*states[::share], *states[-3:]}
    assert len(states) > 50
    for state in sorted(chosen):
        folder = tmp_path / state.name
        shutil.copytree(state, folder / "work")
        trained(base, folder)
        assert file_sha256(folder / "sft" / WEIGHTS) == whole, state


def test_the_last_whole_checkpoint_is_there_from_the_first_save_to_the_end_of_training(
    states: list[Path], tmp_path: Path
) -> None:
    steps = []
    for state in states:
        (work,) = shutil.copytree(state, tmp_path / state.name).iterdir()
        found = last_checkpoint(work)
        steps.append(int(found.name.removeprefix("checkpoint-")) if found else 0)

    saved = steps[: len(steps) - steps[::-1].index(5)]
    assert saved == sorted(saved)
    assert set(saved) == {0, 1, 2, 3, 4, 5}


@pytest.fixture(scope="module")
def stopped(states: list[Path]) -> Path:
    """Return the work folder of a training that was killed in step 5, after its fourth save."""
    return next(
        state
        for state in states
        if list(state.glob("*/checkpoint-4/complete")) and not list(state.glob("*/checkpoint-2"))
    )


def gone(path: Path) -> None:
    path.unlink()


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


FILES = (WEIGHTS, "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json", "complete")
DAMAGE = [
    pytest.param(
        file,
        damage,
        id=f"{file} {damage.__name__}",
        marks=() if damage in (gone, half) else pytest.mark.slow,
    )
    for file in FILES
    for damage in (gone, half, empty, zeros)
]


@pytest.mark.parametrize(("file", "damage"), DAMAGE)
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    base: Path,
    tmp_path: Path,
    whole: str,
    stopped: Path,
    file: str,
    damage: Callable[[Path], None],
) -> None:
    shutil.copytree(stopped, tmp_path / "work")
    (last,) = (tmp_path / "work").glob("*/checkpoint-4")
    damage(last / file)

    again = trained(base, tmp_path)

    assert again.card["resumed_at_step"] == 3
    assert file_sha256(tmp_path / "sft" / WEIGHTS) == whole


def test_where_no_checkpoint_is_whole_the_training_starts_anew(
    base: Path, tmp_path: Path, whole: str, stopped: Path
) -> None:
    shutil.copytree(stopped, tmp_path / "work")
    for weights_file in (tmp_path / "work").glob(f"*/checkpoint-*/{WEIGHTS}"):
        gone(weights_file)

    again = trained(base, tmp_path)

    assert again.card["resumed_at_step"] is None
    assert file_sha256(tmp_path / "sft" / WEIGHTS) == whole


def test_a_mark_without_hashes_as_earlier_versions_wrote_is_not_trusted(
    base: Path, tmp_path: Path, whole: str, stopped: Path
) -> None:
    shutil.copytree(stopped, tmp_path / "work")
    for mark in (tmp_path / "work").glob("*/checkpoint-*/complete"):
        empty(mark)

    assert trained(base, tmp_path).card["resumed_at_step"] is None
    assert file_sha256(tmp_path / "sft" / WEIGHTS) == whole


@pytest.mark.parametrize("damage", [half, empty])
def test_a_damaged_reference_is_asked_again(
    base: Path,
    tmp_path: Path,
    undisturbed: tuple[Path, Taught, Taught],
    damage: Callable[[Path], None],
) -> None:
    shutil.copytree(undisturbed[0] / "sft", tmp_path / "sft")
    work = tmp_path / "work"
    assert kill_when(
        lambda: bool(list(work.glob("*/reference.npy"))), work, lambda: dpo(base, tmp_path)
    )
    (reference,) = work.glob("*/reference.npy")
    damage(reference)

    dpo(base, tmp_path)

    assert file_sha256(tmp_path / "dpo" / WEIGHTS) == weights(undisturbed[0])[1]


@pytest.mark.slow
@pytest.mark.parametrize("step", ["sft", "dpo"])
@pytest.mark.parametrize("seed", range(4))
def test_kill_after_kill_the_training_ends_with_the_same_weights(
    base: Path, tmp_path: Path, undisturbed: tuple[Path, Taught, Taught], step: str, seed: int
) -> None:
    shutil.copytree(undisturbed[0] / "sft", tmp_path / "sft")
    params = {"sft": SFT, "dpo": DPO}[step].model_copy(update={"checkpoint_steps": 1})
    train = {"sft": sft, "dpo": dpo}[step]
    draw = random.Random(seed)

    kills = 0
    while kills < 25 and kill_at(
        draw.randint(1, 150), tmp_path / "work", lambda: train(base, tmp_path, params)
    ):
        kills += 1
    train(base, tmp_path, params)

    assert kills
    assert file_sha256(tmp_path / step / WEIGHTS) == weights(undisturbed[0])[step == "dpo"]
