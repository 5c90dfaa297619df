"""The kill loop tells a run that went on from one that lost a row, a byte or its way."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import kills
from benchmarks.harness import Broken, Measurement
from benchmarks.kills._loop import Outputs, Subject, differences, hashes, kill_all, measured

# Writes rows one by one, after those that are there: it goes on where it was killed.
WRITER = """
import os, sys, time
path, fault = sys.argv[1:]
stopped = os.path.exists(path)
rows = open(path).read().split() if stopped else []
if stopped and fault == "stuck": time.sleep(60)
if stopped and fault == "stop": sys.exit("cannot go on")
if stopped and fault == "lost": del rows[-1:]
for number in range(len(rows), 20):
    rows.append(str(number))
    if stopped and fault == "unequal": rows[-1] = "x"
    open(path + ".part", "w").write("\\n".join(rows))
    os.replace(path + ".part", path)
    time.sleep(0.01)
"""


class Writing(Subject):
    """A program that writes twenty rows; `fault` is what it does wrong where it goes on."""

    limit_s = 3.0

    def __init__(self, folder: Path, fault: str = "") -> None:
        super().__init__(folder / "said.log")
        self.fault, self.out = fault, folder / "rows" / "rows.txt"

    def reset(self) -> None:
        self.out.parent.mkdir(exist_ok=True)
        for left in self.out.parent.iterdir():
            left.unlink()
        self.killed: list[str] = []

    def command(self) -> Sequence[str]:
        return [sys.executable, "-c", WRITER, str(self.out), self.fault]

    def begun(self, process: object) -> bool:
        return self.out.exists()

    def after_kill(self) -> list[str]:
        self.killed = self.rows()
        if self.fault == "lost":  # as a program that forgets its last row at the kill
            self.out.write_text("\n".join(self.killed[:-1]))
        return [] if self.rows() == self.killed else ["a row is lost"]

    def outputs(self) -> Outputs:
        return hashes(self.out.parent)

    def rows(self) -> list[str]:
        return self.out.read_text().split()


def test_a_run_that_goes_on_counts(tmp_path: Path) -> None:
    tally = kill_all(Writing(tmp_path), kills=3)

    assert (tally.kills, tally.good, tally.problems) == (3, 3, [])
    assert measured("kills_of_a_test", [tally], note="twenty rows") == Measurement(
        "kills_of_a_test", 3.0, "kills of 3", note="twenty rows"
    )


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("unequal", "rows/rows.txt: unequal"),
        ("lost", "a row is lost"),
        ("stuck", "the run is stuck: over 3 s"),
        ("stop", "the run stopped with 1: cannot go on"),
    ],
)
def test_a_run_that_does_not_go_on_is_told_with_seed_and_instant(
    tmp_path: Path, fault: str, problem: str
) -> None:
    tally = kill_all(Writing(tmp_path, fault), kills=1, seed=5)

    assert (tally.kills, tally.good) == (1, 0)
    assert tally.problems[0].startswith("seed 5, kill 1 at 0.")
    assert problem in "\n".join(tally.problems)


def test_what_is_left_beside_an_output_is_told() -> None:
    calm, other = {"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "0", ".part": "9"}

    assert differences(calm, other) == [".part: left over", "b: unequal", "c: missing"]


def test_a_kill_after_the_end_is_drawn_again_and_a_work_too_short_is_told(tmp_path: Path) -> None:
    subject = Writing(tmp_path)
    subject.command = lambda: [sys.executable, "-c", f"open({str(subject.out)!r}, 'w')"]  # type: ignore[method-assign]
    subject.begun = lambda process: process.wait() == 0  # type: ignore[method-assign,attr-defined]

    with pytest.raises(Broken, match="came too late"):
        kill_all(subject, kills=1)


def test_a_broken_claim_is_logged_and_is_exit_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import benchmarks.kills.export as claim

    row = Measurement("kills_export", 19.0, "kills of 20")

    def run() -> list[Measurement]:
        raise Broken([row], ["seed 7, kill 3 at 0.1 s of 0.2: rows.txt: unequal"])

    monkeypatch.setattr(claim, "run", run)
    monkeypatch.setattr(bench, "LOG", tmp_path / "bench.jsonl")

    assert bench.main(["kills_export"]) == 1
    assert "kill 3 at 0.1 s" in capsys.readouterr().out
    assert json.loads(bench.LOG.read_text())["value"] == 19.0


def test_each_claim_of_kills_runs_alone_and_none_is_forgotten() -> None:
    files = {path.stem for path in Path(kills.__file__).parent.glob("[a-z]*.py")}

    assert files == set(kills.CLAIMS)
    assert "kills" in bench.names()
