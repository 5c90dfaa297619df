"""Stage `validate`: the gate of one corpus; what is trained on it depends on this."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pipeline.declare import In, Json, Key, Metrics, Stage
from pipeline.errors import GateFailedError
from pipeline.storage import read_json, write_json

SHOWN = 8

DAG = Stage(each="corpora")


def run(*, corpus: Key[str], expectations: In[Json], out: Metrics) -> None:
    """Write the verdict on `corpus` and the tables it shares; a critical failure raises.

    Raises GateFailedError after the verdict was written.
    """
    tables = {
        name: table
        for name, table in read_json(expectations)["tables"].items()
        if table["corpus"] in (None, corpus)
    }
    failures = [(name, one) for name, table in tables.items() for one in table["failed"]]
    counts = Counter(one["severity"] for _, one in failures)
    critical = [(name, one) for name, one in failures if one["severity"] == "critical"]
    write_json(
        out,
        {
            "corpus": corpus,
            "passed": not critical,
            "expectations": sum(table["expectations"] for table in tables.values()),
            "failed": {name: counts[name] for name in ("critical", "warning", "info")},
        },
    )
    if critical:
        raise GateFailedError(_message(corpus, critical))


def _message(corpus: str, critical: list[tuple[str, dict[str, Any]]]) -> str:
    lines = [f"{corpus}: {len(critical)} critical expectation(s) failed"]
    lines += [f"  {name}: not true: {_what(one)}" for name, one in critical[:SHOWN]]
    if len(critical) > SHOWN:
        lines.append(f"  and {len(critical) - SHOWN} more")
    lines.append("distillery open shows them all; distillery explain ID tells a row's story.")
    if any(one["is_drift"] for _, one in critical):
        lines.append("If the build is meant to differ from the accepted one: distillery accept")
    lines.append("Mend the data, or the bounds in params.yaml (expect), and run dvc repro again.")
    return "\n".join(lines)


def _what(failure: dict[str, Any]) -> str:
    found = f"{failure['claim']}"
    if failure["unexpected"] is not None:
        found += f": {failure['unexpected']} of {failure['checked']} rows"
        if failure["row_ids"]:
            found += f", first {failure['row_ids'][0]}"
    elif failure["observed"]:
        found += f": found {failure['observed']}"
    return found
