"""Claim: a corpus of 1,000,000 rows is exported in under 500 MiB of memory, whatever the format.

Made rows go to the Hub's Parquet shards and to a JSON Lines format, each in a process of its own.
Rival: pyarrow alone, reading the same table by batch and writing it again as one Parquet file.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.harness import Measurement, in_process, peak_mib, stopwatch
from pipeline.records import SFTExample, SplitAssignment
from pipeline.storage import arrow_schema

ROWS = 1_000_000
BATCH = 50_000
LIMIT_MIB = 500
# About the lengths of a rated row: an instruction with a situation, and a response.
PROMPT = "Write your next turn. They said: it happened again, and nobody at work noticed. " * 6
ANSWER = "That sounds lonely, and it makes sense that you went home early. " * 2


def run() -> list[Measurement]:
    """Measure rows per second and peak memory of both exports."""
    with tempfile.TemporaryDirectory() as scratch:
        build = Path(scratch) / "build"
        write_corpus(build, ROWS)
        floor = in_process("benchmarks.export", "copy", str(build), f"{scratch}/copy.parquet")
        measured = []
        for name in ("hf", "llama-factory"):
            ours = in_process("benchmarks.export", "export", str(build), name, f"{scratch}/{name}")
            assert ours["rows"] == ROWS
            assert ours["peak_mib"] < LIMIT_MIB, ours
            measured.append(
                Measurement(
                    f"export_{name}",
                    ROWS / ours["seconds"],
                    "rows/s",
                    rival="pyarrow read and write",
                    ratio=floor["seconds"] / ours["seconds"],
                    rows=ROWS,
                    peak_mib=ours["peak_mib"],
                )
            )
    return measured


def write_corpus(build: Path, rows: int) -> None:
    """Write a supervised corpus of `rows` rows, every tenth exchange on the test side."""
    datasets = build / "datasets"
    (datasets / "sft").mkdir(parents=True)
    schema, splits = arrow_schema(SFTExample), arrow_schema(SplitAssignment)
    with (
        pq.ParquetWriter(datasets / "sft" / "made.parquet", schema, compression="zstd") as table,
        pq.ParquetWriter(datasets / "splits.parquet", splits, compression="zstd") as sides,
    ):
        for start in range(0, rows, BATCH):
            numbers = range(start, min(start + BATCH, rows))
            table.write_table(_examples(numbers, schema))
            exchanges = [f"exchange-{one:016x}" for one in numbers]
            assigned = {
                "exchange_id": exchanges,
                "split": ["train" if one % 10 else "test" for one in numbers],
                "group": exchanges,
                "rule": ["made"] * len(numbers),
            }
            sides.write_table(pa.table(assigned, schema=splits))


def _examples(numbers: range, schema: pa.Schema) -> pa.Table:
    texts = [text for one in numbers for text in (f"{PROMPT}{one}", f"{ANSWER}{one}")]
    roles = ["user", "assistant"] * len(numbers)
    said = pa.StructArray.from_arrays([pa.array(roles), pa.array(texts)], ["role", "content"])
    messages = pa.ListArray.from_arrays(pa.array(range(0, len(texts) + 1, 2), pa.int32()), said)
    lineage = {
        "source": "made",
        "licence": "CC0-1.0",
        "operation": "build_sft",
        "prompt_id": "direct/respond@made",
    }
    columns = {
        "id": [f"sft-{one:016x}" for one in numbers],
        "messages": messages,
        "exchange_id": [f"exchange-{one:016x}" for one in numbers],
        "response_id": [f"response-{one:016x}" for one in numbers],
        "lineage": pa.array([lineage] * len(numbers), schema.field("lineage").type),
    }
    return pa.table(columns, schema=schema)


def export(build: str, format_name: str, out: str) -> dict[str, float]:
    """Export the supervised rows; a card of one line stands in for the real one."""
    from pipeline.exports.export import export_corpora

    with stopwatch() as seconds:
        (exported,) = export_corpora(
            Path(build),
            ["made"],
            Path(out),
            format_name=format_name,
            kinds=["sft"],
            card=lambda one, _: f"# {one.corpus}\n",
        )
    rows = sum(part.rows for part in exported.parts)
    return {"seconds": seconds(), "rows": rows, "peak_mib": peak_mib()}


def copy(build: str, out: str) -> dict[str, float]:
    """Read the table by batch with pyarrow alone and write it again."""
    source = pq.ParquetFile(f"{build}/datasets/sft/made.parquet")
    with (
        stopwatch() as seconds,
        pq.ParquetWriter(out, source.schema_arrow, compression="zstd") as writer,
    ):
        for batch in source.iter_batches():
            writer.write_batch(batch)
    return {"seconds": seconds(), "peak_mib": peak_mib()}
