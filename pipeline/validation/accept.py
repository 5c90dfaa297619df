"""Taking a build's figures as the standard for the next ones."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import GateFailedError
from pipeline.storage import read_json, write_json
from pipeline.validation.drift import Accepted


def accept_build(expectations: Path, out: Path) -> Accepted:
    """Write the profiles in `expectations` to `out`.

    Raises GateFailedError if a critical claim about the rows failed: a difference from the last
    standard can be accepted, a defect cannot.
    """
    found = read_json(expectations)
    defects = [
        f"  {name}: not true: {one['claim']}"
        for name, table in found["tables"].items()
        for one in table["failed"]
        if one["severity"] == "critical" and not one["is_drift"]
    ]
    if defects:
        raise GateFailedError(
            "\n".join([f"{expectations}: {len(defects)} critical expectation(s) failed", *defects])
            + "\nMend the data first; nothing was accepted."
        )
    profiles = {
        name: table["profile"]
        for name, table in found["tables"].items()
        if table["profile"] is not None
    }
    accepted = Accepted.model_validate({"source": found["source"], "tables": profiles})
    write_json(out, accepted.model_dump())
    return accepted
