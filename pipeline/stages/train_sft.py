"""Stage `train_sft`: the first step of a student, on supervised examples."""

from __future__ import annotations

from pathlib import Path

from pipeline.records import Rejection, SFTExample
from pipeline.storage import read_table, write_json, write_table
from pipeline.student.gate import require_passed
from pipeline.student.params import TrainingParams
from pipeline.student.report import measures, write_report
from pipeline.student.teach import CHECKPOINTS, teach_sft


class TrainSftParams(TrainingParams):
    """Section `train_sft` of params.yaml."""


def run(
    params: TrainSftParams,
    *,
    corpus: str,
    seed: int,
    examples: Path,
    base: Path,
    validation: Path,
    audit: Path,
    out: Path,
    report: Path,
    rejections: Path,
    metrics: Path,
    checkpoints: Path = CHECKPOINTS,
) -> None:
    """Write the adapter to `out`, the run to `report`, measures to `metrics`.

    Raises GateFailedError for a corpus that failed validation or the audit.
    """
    require_passed(corpus, f"sft-{corpus}", validation=validation, audit=audit)
    rows = read_table(examples, SFTExample)
    taught = teach_sft(rows, params, base=base, out=out, checkpoints=checkpoints, seed=seed)
    write_table(rejections, Rejection, taught.rejections)
    write_report(report, taught)
    write_json(metrics, measures(taught))
