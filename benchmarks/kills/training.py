"""Claim: a training killed at any instant, within a save too, ends with the same weights.

Stage `train_sft` on the embedded model, with few rows and steps and a checkpoint at each step. Half
of the kills are drawn from the whole run, half from within the save of a checkpoint: those that
found the last checkpoint without its mark, or one more than are kept.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml import YAML

from benchmarks.harness import ROOT, Broken, Measurement
from benchmarks.kills._loop import SEED, Outputs, Subject, hashes, how_many, kill_all, measured
from benchmarks.kills._processes import start
from pipeline.records import SFTExample
from pipeline.storage import write_json, write_table
from pipeline.student.base_model import CARD
from pipeline.student.checkpoints import COMPLETE
from tests.examples import message, sft_example

CORPUS = "human-sequential"
STEPS = 6
KEPT = 2
SETTINGS = {
    "batch_size": 1,
    "max_steps": STEPS,
    "top_layers": 2,
    "checkpoint_steps": 1,
    "context": 128,
}
# A bit more than the save of a checkpoint takes; what comes after it is drawn again.
SAVE_S = 0.25


def run() -> list[Measurement]:
    """Kill trainings of one adapter, anywhere and within a save."""
    kills = how_many()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        base = _base_model(folder)
        within = kill_all(TrainingSave(folder, base), kills=kills // 2)
        anywhere = kill_all(Training(folder, base), kills=kills - kills // 2)
    note = f"embedded base, {STEPS} steps, a save each; {within.kills} kills within a save"
    return [measured("kills_training", [within, anywhere], rows=STEPS, note=note)]


def _base_model(folder: Path) -> Path:
    """Return the base model of this checkout, made now if no build has made it."""
    built = ROOT / "datasets" / "students" / "base_model"
    if (built / CARD).is_file():
        return built
    made, log = folder / "base_model", folder / "base_model.log"
    command = [sys.executable, "-m", "pipeline", "base_model", "--out", str(made)]
    if start(command, cwd=ROOT, log=log).wait():
        raise Broken([], [f"the base model cannot be made: {log.read_text()[-500:]}"])
    return made


class Training(Subject):
    """One training in a folder of its own, checkpoints and all."""

    def __init__(self, scratch: Path, base: Path) -> None:
        super().__init__(scratch / "said.log")
        self.base, self.place = base, scratch / "place"
        self.checkpoints = self.place / ".distillery" / "checkpoints"
        self.place.mkdir(exist_ok=True)
        yaml = YAML()
        params = yaml.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
        params["train_sft"].update(SETTINGS)
        with (self.place / "params.yaml").open("w", encoding="utf-8") as stream:
            yaml.dump(params, stream)
        rows = (
            sft_example(
                f"sft-{number}",
                message("user", f"my dog ran off, for the {number}th time"),
                message("assistant", "that must hurt, tell me more."),
            )
            for number in range(STEPS)
        )
        write_table(self.place / "examples.parquet", SFTExample, rows)
        write_json(self.place / "validation.json", {"passed": True})
        passed = {"failed_detectors": [], "critical": 0, "waived": 0}
        write_json(self.place / "audit.json", {f"sft-{CORPUS}": passed})

    def reset(self) -> None:
        """Remove what earlier trainings left."""
        for left in ("out", ".distillery"):
            shutil.rmtree(self.place / left, ignore_errors=True)

    def command(self) -> Sequence[str]:
        """Return the stage."""
        paths = {
            "examples": "examples.parquet",
            "base": str(self.base),
            "validation": "validation.json",
            "audit": "audit.json",
            "out": "out/adapter",
            "record": "out/record",
            "rejections": "out/rejections.parquet",
            "metrics": "out/metrics.json",
        }
        options = [word for name, path in paths.items() for word in (f"--{name}", path)]
        return [sys.executable, "-m", "pipeline", "train_sft", CORPUS, *options]

    def start(self) -> subprocess.Popen[bytes]:
        """Start the stage in the folder of its params.yaml."""
        return start(self.command(), cwd=self.place, log=self.log)

    def begun(self, process: subprocess.Popen[bytes]) -> bool:
        """Return whether there is a folder for checkpoints."""
        return any(self.checkpoints.glob("*"))

    def outputs(self) -> Outputs:
        """Return the adapter and what was dropped; the record tells times and is left out."""
        out = self.place / "out"
        return hashes(out / "adapter", out / "rejections.parquet")


class TrainingSave(Training):
    """One training, killed while it saves the checkpoint of a drawn step."""

    span_s = SAVE_S

    def reset(self) -> None:
        """Choose the next step to kill."""
        super().reset()
        self.draw = getattr(self, "draw", random.Random(SEED))
        self.step = self.draw.randint(1, STEPS)

    def begun(self, process: subprocess.Popen[bytes]) -> bool:
        """Return whether the checkpoint of the step is being saved."""
        return any(self.checkpoints.glob(f"*/*checkpoint-{self.step}*"))

    def counts(self) -> bool:
        """Return whether the checkpoint is not whole yet, or an older one not yet gone."""
        found = list(self.checkpoints.glob("*/*checkpoint-*"))
        whole = self.checkpoints.glob(f"*/checkpoint-{self.step}/{COMPLETE}")
        return bool(found) and (not any(whole) or len(found) > KEPT)
