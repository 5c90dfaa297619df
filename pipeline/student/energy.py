"""How much energy the processor drew, where the machine tells."""

from __future__ import annotations

from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


def read_microjoules(root: Path = POWERCAP) -> dict[str, int] | None:
    """Return the counters of all processor packages, None where they cannot be read.

    The counters are the whole machine's: with neighbours on it, a difference is an upper bound.
    """
    found = {}
    for counter in sorted(root.glob("intel-rapl:?/energy_uj")):
        try:
            found[counter.parent.name] = int(counter.read_text())
        except (OSError, ValueError):
            return None
    return found or None


def joules_between(before: dict[str, int] | None, after: dict[str, int] | None) -> float | None:
    """Return the energy between two readings; None if unknown or if a counter went round."""
    if before is None or after is None or before.keys() != after.keys():
        return None
    used = [after[name] - before[name] for name in before]
    return None if min(used) < 0 else round(sum(used) / 1e6, 1)
