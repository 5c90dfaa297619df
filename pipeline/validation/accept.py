"""Taking a build's figures as the standard for the next ones."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from pipeline.errors import GateFailedError
from pipeline.storage import read_json_as, write_json
from pipeline.validation.drift import Accepted, Profile


class _Failed(BaseModel):
    claim: str
    severity: str
    is_drift: bool


class _Table(BaseModel):
    failed: list[_Failed]
    profile: Profile | None


class _Expectations(BaseModel):
    """What is needed of what the stage `expect` wrote."""

    source: str
    tables: dict[str, _Table]


def accept_build(expectations: Path, out: Path) -> Accepted:
    """Write the profiles in `expectations` to `out`.

    Raises GateFailedError if a critical claim about the rows failed: a difference from the last
    standard can be accepted, a defect cannot.
    """
    found = read_json_as(expectations, _Expectations)
    defects = [
        f"  {name}: not true: {one.claim}"
        for name, table in found.tables.items()
        for one in table.failed
        if one.severity == "critical" and not one.is_drift
    ]
    if defects:
        raise GateFailedError(
            "\n".join([f"{expectations}: {len(defects)} critical expectation(s) failed", *defects])
            + "\nMend the data first; nothing was accepted."
        )
    profiles = {
        name: table.profile for name, table in found.tables.items() if table.profile is not None
    }
    accepted = Accepted.model_validate({"source": found.source, "tables": profiles})
    write_json(out, accepted.model_dump())
    return accepted
