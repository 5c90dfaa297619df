"""Claim: `make repro` killed at any instant goes on, pays for nothing twice, and ends the same.

The sample is built in a copy of this checkout without students, its teacher a mock endpoint that is
asked about few rows. A build is killed several times on its way from nothing to its end; its kills
count if it gets there, with every output of `dvc.lock` as an undisturbed build has it.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from ruamel.yaml import YAML

from benchmarks.harness import ROOT, Broken, Measurement
from benchmarks.kills._answers import answers, content
from benchmarks.kills._loop import SEED, Outputs, Tally, differences, hashes, how_many, measured
from benchmarks.kills._processes import finish, kill_tree, start
from tests.mock_endpoint import Program, program

ASKED = 4
KILLS_A_BUILD = 5
LIMIT_S = 1200.0


def run() -> list[Measurement]:
    """Kill builds until there were enough kills."""
    kills, tally, draw = how_many(), Tally(), random.Random(SEED)
    with tempfile.TemporaryDirectory() as scratch, program(latency_s=0.05) as endpoint:
        calm = Build(Path(scratch) / "calm", endpoint)
        began = time.perf_counter()
        if problems := finish(calm.start(), calm.log, LIMIT_S):
            raise Broken([], [f"undisturbed: {problem}" for problem in problems])
        seconds = time.perf_counter() - began
        while tally.kills < kills:
            build = Build(Path(scratch) / f"after-{tally.kills}", endpoint)
            _kill_build(build, calm.outputs(), seconds, kills - tally.kills, draw, tally)
            shutil.rmtree(build.folder)
    note = (
        f"students: [], models: base alone, distil.limit: {ASKED}, a mock teacher; "
        f"up to {KILLS_A_BUILD} kills a build"
    )
    return [measured("kills_repro", [tally], rows=ASKED, note=note)]


def _kill_build(
    build: Build, calm: Outputs, seconds: float, most: int, draw: random.Random, tally: Tally
) -> None:
    """Kill one build on its way, let it end, and count its kills."""
    planned = min(KILLS_A_BUILD, most)
    instants: list[float] = []
    problems: list[str] = []
    for _ in range(planned):
        instant = seconds / (planned + 1) * draw.uniform(0.1, 1.9)
        process = build.start()
        time.sleep(instant)
        if not kill_tree(process):
            problems += finish(process, build.log, LIMIT_S)
            break
        instants.append(round(instant, 2))
        problems += build.lost()
        build.note_answers()
    if not problems:
        problems = finish(build.start(), build.log, LIMIT_S) + build.lost()
        problems += build.paid_twice(len(instants)) + differences(calm, build.outputs())
    for number in range(len(instants)):
        tally.add(f"seed {SEED}, kill {number + 1} of those at {instants} s", problems)


class Build:
    """A copy of this checkout with its own ledger, and nothing built."""

    def __init__(self, folder: Path, endpoint: Program) -> None:
        self.folder, self.log, self.endpoint = folder, folder.with_suffix(".log"), endpoint
        self.ledger = folder / ".distillery" / "ledger.sqlite"
        self.before = self._calls()
        self.note_answers()
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
        )
        for name in filter(None, listed.stdout.split("\0")):
            if name != "dvc.lock" and (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        (folder / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n")
        (folder / ".venv").symlink_to(sys.prefix)
        if (models := ROOT / ".distillery" / "models").is_dir():
            shutil.copytree(models, folder / ".distillery" / "models")
        self._set_params()

    def _set_params(self) -> None:
        yaml, path = YAML(), self.folder / "params.yaml"
        params = yaml.load(path.read_text(encoding="utf-8"))
        params |= {"students": [], "models": {"base": {"student": "base_model"}}}
        params["distil"]["limit"] = ASKED
        teacher = {"engine": "openai", "base_url": self.endpoint.base_url, "model": "mock"}
        params["llm"]["teacher"] |= teacher
        with path.open("w", encoding="utf-8") as stream:
            yaml.dump(params, stream)

    def start(self) -> subprocess.Popen[bytes]:
        """Start what a person types; the environment is there, so it is not installed anew."""
        command = ["make", "--old-file", ".venv/.installed", "repro"]
        return start(command, cwd=self.folder, log=self.log)

    def outputs(self) -> Outputs:
        """Return every output of dvc.lock, as DVC wrote it down and as it is on the disk."""
        path = self.folder / "dvc.lock"
        stages = YAML(typ="safe").load(path.read_text())["stages"] if path.is_file() else {}
        outs = [out for stage in stages.values() for out in stage.get("outs", ())]
        found: dict[str, object] = {f"{out['path']} in dvc.lock": out["md5"] for out in outs}
        for out in outs:
            place = self.folder / out["path"]
            found |= {f"{place.parent}/{name}": one for name, one in hashes(place).items()}
        return {name.replace(str(self.folder), "."): one for name, one in found.items()}

    def note_answers(self) -> None:
        """Remember what is committed, and how often the endpoint was asked for it."""
        self.committed, self.at_kill = answers(self.ledger), self._calls()

    def lost(self) -> list[str]:
        """Return what was committed and is not there any more, or was paid again."""
        now, paid = answers(self.ledger), self._calls()
        kept = {key: row for key, row in now.items() if key in self.committed}
        asked = map(content, self.committed.values())
        again = [one for one in asked if paid[one] > self.at_kill[one]]
        return differences(self.committed, kept) + [f"{one}: paid again" for one in again]

    def paid_twice(self, kills: int) -> list[str]:
        """Return whether more was paid again than the one call in flight at each kill."""
        asked = self._calls() - self.before
        again = asked.total() - len(asked)
        return [f"{again} calls paid twice"] if again > kills else []

    def _calls(self) -> Counter[str]:
        return Counter(self.endpoint.tally()["by_content"])
