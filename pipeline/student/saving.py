"""Saving weights: what libraries raise where a disk is full, as one error that says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import PipelineError


@contextmanager
def saving(what: str, path: Path) -> Iterator[None]:
    """Raise PipelineError if `what` cannot be written to `path`; put nothing else into the block.

    safetensors has an error of its own for a write that failed, and torch a bare RuntimeError.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error).strip().splitlines()[0]
        raise PipelineError(
            f"{path}: {what} cannot be written ({reason})\n"
            "Make room on the disk and run it again; a training goes on from its last whole "
            "checkpoint."
        ) from error
