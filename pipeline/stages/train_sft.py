"""Stage `train_sft`: the first step of a student, on supervised examples."""

from __future__ import annotations

from pathlib import Path

from pipeline.config import home
from pipeline.declare import Folder, In, Json, Key, Metrics, Model, Out, Stage
from pipeline.records import Rejection, SFTExample
from pipeline.storage import read_table, write_json, write_table
from pipeline.student.device import prepare
from pipeline.student.gate import require_passed
from pipeline.student.params import TrainingParams
from pipeline.student.run_record import measures, write_record
from pipeline.student.teach import teach_sft


class TrainSftParams(TrainingParams):
    """Section `train_sft` of params.yaml."""


DAG = Stage(each="students", machine_dependent=True)


def run(
    params: TrainSftParams,
    *,
    corpus: Key[str],
    seed: int,
    examples: In[SFTExample],
    base: In[Model],
    validation: In[Json],
    audit: In[Json],
    out: Out[Model],
    record: Out[Folder],
    rejections: Out[Rejection],
    metrics: Metrics,
    checkpoints: Path | None = None,
) -> None:
    """Write the adapter to `out`, the run to `record`, measures to `metrics`.

    Raises GateFailedError for a corpus that failed validation or the audit.
    """
    prepare(params.device)
    require_passed(corpus, f"sft-{corpus}", validation=validation, audit=audit)
    rows = read_table(examples, SFTExample)
    taught = teach_sft(
        rows,
        params,
        base=base,
        out=out,
        checkpoints=checkpoints or home() / "checkpoints",
        seed=seed,
    )
    write_table(rejections, Rejection, taught.rejections)
    write_record(record, taught)
    write_json(metrics, measures(taught))
