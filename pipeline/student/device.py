"""Where a model runs, and how a run repeats itself."""

from __future__ import annotations

import os
from typing import Any

from pipeline.progress import print_line
from pipeline.student.params import Device

# Kernels for one instruction set that every x86-64 server of the last ten years has: machines then
# mostly agree. Not promised: another library version, thread count or processor family may still
# round differently, and so end with other weights.
PINNED = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_CBWR": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
}


def pin_kernels() -> None:
    """Bind this process to kernels that most machines have; only before torch is imported."""
    for name, value in PINNED.items():
        os.environ.setdefault(name, value)


def prepare(device: Device) -> None:
    """Pin the kernels, quiet the libraries and say where the model will run."""
    pin_kernels()
    quiet_libraries()
    print_line(f"on {describe_device(choose_device(device))}")


def quiet_libraries() -> None:
    """Keep transformers' own bars and notes to its developers out of people's terminals."""
    import warnings

    from transformers.utils import logging

    bars: Any = logging
    bars.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")


def choose_device(wanted: Device) -> str:
    """Return `cuda` or `cpu`; `auto` takes an accelerator where there is one."""
    import torch

    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def describe_device(device: str) -> str:
    """Return the device's name, for people."""
    import torch

    if device == "cuda":
        return str(torch.cuda.get_device_name())
    return f"cpu, {torch.get_num_threads()} thread(s)"
