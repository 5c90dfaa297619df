"""Run one benchmark or all, print the figures and append them to reports/bench.jsonl."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import benchmarks
from benchmarks import kills
from benchmarks.harness import ROOT, Broken, Measurement, Skipped

NOT_BENCHMARKS = {"__main__", "harness", "planting"}
PARTS = {f"kills_{name}": f"benchmarks.kills.{name}" for name in kills.CLAIMS}
LOG = ROOT / "reports" / "bench.jsonl"


def names() -> list[str]:
    """Return the benchmarks: modules of this package with a `run`, mock servers aside."""
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in found if name not in NOT_BENCHMARKS and not name.startswith("_"))


def measure(name: str) -> int:
    """Run one benchmark in this process and log what it measured; return its exit code."""
    code = 0
    try:
        module = importlib.import_module(PARTS.get(name, f"benchmarks.{name}"))
        measured: list[Measurement] = module.run()
    except Skipped as reason:
        print(f"{name}: skipped, {reason}")
        return 0
    except Broken as broken:
        print(f"{name}: the claim does not hold\n{broken}")
        measured, code = broken.measured, 1
    with LOG.open("a", encoding="utf-8") as log:
        for one in measured:
            print(one.as_json())
            log.write(one.as_json() + "\n")
    return code


def main(arguments: list[str]) -> int:
    """Run the named benchmarks, or all; each in a process of its own."""
    known = [*names(), *PARTS]
    if unknown := sorted(set(arguments) - set(known)):
        print(f"error: no benchmark {', '.join(unknown)}\nThere are: {', '.join(known)}")
        return 2
    if len(arguments) == 1:
        return measure(arguments[0])
    failed = 0
    for name in arguments or names():
        print(f"# {name}", flush=True)
        failed |= subprocess.run([sys.executable, "-m", "benchmarks", name], check=False).returncode
    return failed


if __name__ == "__main__":
    LOG.parent.mkdir(exist_ok=True)
    sys.exit(main(sys.argv[1:]))
