"""Claim: wide files are read at a pace that fits their size, and a new key a row costs no more.

100,000 rows of 200 columns as JSON Lines and Parquet, read for an audit, each in a process of its
own. Rival: pandas, whose columns are made Python's values as ours are. A second file has 100,000
rows with a key that no other row has; its pace is compared with that of a quarter of it, so that 1
means a time that grows as the file does.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.harness import Measurement, in_process, peak_mib, stopwatch

ROWS, COLUMNS = 100_000, 200


def run() -> list[Measurement]:
    """Measure rows per second and peak memory."""
    measured = []
    with tempfile.TemporaryDirectory() as scratch:
        for kind in ("jsonl", "parquet"):
            path = str(Path(scratch) / f"wide.{kind}")
            in_process("benchmarks.reading_wide", "write_wide", path)
            ours = in_process("benchmarks.reading_wide", "measure_ours", path)
            theirs = in_process("benchmarks.reading_wide", "measure_pandas", path)
            measured.append(
                Measurement(
                    f"reading_wide {kind}",
                    ROWS / ours["seconds"],
                    "rows/s",
                    rival="pandas, columns as lists",
                    ratio=theirs["seconds"] / ours["seconds"],
                    rows=ROWS,
                    peak_mib=ours["peak_mib"],
                )
            )
        seconds = []
        for rows in (ROWS // 4, ROWS):
            path = str(Path(scratch) / f"keys-{rows}.jsonl")
            in_process("benchmarks.reading_wide", "write_new_keys", path, str(rows))
            ours = in_process("benchmarks.reading_wide", "measure_ours", path)
            seconds.append(ours["seconds"] / rows)
        measured.append(
            Measurement(
                "reading_wide new_keys",
                1 / seconds[1],
                "rows/s",
                rival="itself, a quarter of the rows",
                ratio=seconds[0] / seconds[1],
                rows=ROWS,
                peak_mib=ours["peak_mib"],
            )
        )
    return measured


def write_wide(path: str) -> None:
    """Write rows of a text, numbers and short strings."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.endswith(".parquet"):
        columns: dict[str, list[Any]] = {
            "text": [f"I hear you, number {row}." for row in range(ROWS)]
        }
        for column in range(1, COLUMNS):
            numbers = range(column, column + ROWS)
            columns[f"c{column}"] = list(map(str, numbers)) if column % 2 else list(numbers)
        pq.write_table(pa.table(columns), path, row_group_size=10_000)
        return
    with Path(path).open("w", encoding="utf-8") as stream:
        for row in range(ROWS):
            values: dict[str, str | int] = {"text": f"I hear you, number {row}."}
            for column in range(1, COLUMNS):
                values[f"c{column}"] = str(row + column) if column % 2 else row + column
            stream.write(json.dumps(values) + "\n")


def write_new_keys(path: str, rows: str) -> None:
    """Write rows that each have a key of their own."""
    with Path(path).open("w", encoding="utf-8") as stream:
        for row in range(int(rows)):
            stream.write(json.dumps({"text": f"I hear you, {row}.", f"key {row}": row}) + "\n")


def measure_ours(path: str) -> dict[str, float]:
    """Read a file as an audit does."""
    from pipeline.audit.reading import read_raw

    with stopwatch() as clock:
        read_raw(Path(path))
    return {"seconds": clock(), "peak_mib": peak_mib()}


def measure_pandas(path: str) -> dict[str, float]:
    """Read a file with pandas, every column as a list."""
    import pandas as pd

    with stopwatch() as clock:
        if path.endswith(".parquet"):
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_json(path, lines=True)
        columns = {name: frame[name].tolist() for name in frame}
    return {"seconds": clock(), "columns": len(columns)}
