"""Claim: ingest and corpus building stream; memory does not grow with the number of rows.

The whole EmpatheticDialogues table and a quarter of it go through ingest and build_sft, each in a
process of its own. Rival: pyarrow alone, reading the same file to Python rows and writing them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.harness import Measurement, data_folder, in_process, peak_mib, stopwatch


def run() -> list[Measurement]:
    """Measure rows per second and peak memory, and how memory grows from a quarter to all."""
    raw = data_folder() / "empathetic_intents" / "empathetic_dialogues.parquet"
    with tempfile.TemporaryDirectory() as scratch:
        quarter = Path(scratch) / "quarter.parquet"
        table = pq.read_table(raw)
        rows, part = table.num_rows, table.num_rows // 4
        pq.write_table(table.slice(0, part), quarter)
        del table
        whole = in_process("benchmarks.corpora_build", "build", str(raw), f"{scratch}/whole")
        less = in_process("benchmarks.corpora_build", "build", str(quarter), f"{scratch}/quarter")
        floor = in_process("benchmarks.corpora_build", "copy", str(raw), f"{scratch}/copy")
    rival = "pyarrow read and write"
    return [
        Measurement(
            "corpora_build",
            rows / whole["seconds"],
            "rows/s",
            rival=rival,
            ratio=floor["seconds"] / whole["seconds"],
            rows=rows,
            peak_mib=whole["peak_mib"],
        ),
        Measurement(
            "corpora_build_memory_growth",
            whole["peak_mib"] / less["peak_mib"],
            "peak of all rows over peak of a quarter",
            rows=part,
            peak_mib=less["peak_mib"],
        ),
    ]


def build(raw: str, out: str) -> dict[str, float]:
    """Ingest `raw` and build the SFT corpus of its reference responses, all on the train side."""
    from pipeline.corpora.conversation import PromptParams
    from pipeline.corpora.params import ReferenceCorpus, RespondersParams
    from pipeline.records import Exchange, SplitAssignment
    from pipeline.stages import build_sft, ingest
    from pipeline.storage import read_table, write_table

    folder = Path(out)
    exchanges, responses = folder / "exchanges.parquet", folder / "responses.parquet"
    with stopwatch() as seconds:
        ingest.run(
            ingest.IngestParams(source="empathetic_dialogues", path=Path(raw), max_chars=20_000),
            exchanges=exchanges,
            responses=responses,
            rejections=folder / "rejected.parquet",
            metrics=folder / "ingest.json",
        )
        write_table(
            folder / "splits.parquet",
            SplitAssignment,
            (
                SplitAssignment(exchange_id=one.id, split="train", group="all", rule="benchmark")
                for one in read_table(exchanges, Exchange)
            ),
        )
        build_sft.run(
            ReferenceCorpus(method="reference"),
            RespondersParams(reference_responder="human"),
            PromptParams(mean_words=28, max_words=97),
            seed=42,
            exchanges=exchanges,
            responses=responses,
            splits=folder / "splits.parquet",
            out=folder / "sft.parquet",
            rejections=folder / "not-sft.parquet",
        )
    return {"seconds": seconds(), "peak_mib": peak_mib()}


def copy(raw: str, out: str) -> dict[str, float]:
    """Read `raw` row by row with pyarrow alone and write it again."""
    source = pq.ParquetFile(raw)
    Path(out).mkdir()
    with (
        stopwatch() as seconds,
        pq.ParquetWriter(f"{out}/copy.parquet", source.schema_arrow, compression="zstd") as writer,
    ):
        for batch in source.iter_batches(batch_size=2048):
            writer.write_table(pa.Table.from_pylist(batch.to_pylist(), schema=source.schema_arrow))
    return {"seconds": seconds(), "peak_mib": peak_mib()}
