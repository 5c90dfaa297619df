"""A full disk is said in one way, whichever library was writing."""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pipeline.errors import PipelineError
from pipeline.student.saving import saving

MANY = torch.zeros(100_000)
ROOM = 10_000


@contextmanager
def little_room(room: int) -> Iterator[None]:
    """Let no file grow beyond `room` bytes, which fails where a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(bytes(ROOM * 2)),
        lambda path: torch.save(MANY, path),
        lambda path: save_file({"many": MANY}, path),
    ],
    ids=["python", "torch", "safetensors"],
)
def test_what_cannot_be_written_is_an_error_with_a_way_out(
    tmp_path: Path, write: Callable[[Path], object]
) -> None:
    path = tmp_path / "weights"

    with (
        pytest.raises(
            PipelineError, match=r"weights: the adapter cannot be written \(.*\nMake room"
        ),
        little_room(ROOM),
        saving("the adapter", path),
    ):
        write(path)


def test_an_error_of_our_own_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"^said already$"), saving("the adapter", tmp_path):
        raise PipelineError("said already")
