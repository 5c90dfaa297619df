"""Stage `train_dpo`: the second step of a student, on preferences."""

from __future__ import annotations

from pathlib import Path

from pipeline.config import home
from pipeline.corpora.preference import PairFilter
from pipeline.declare import Folder, In, Json, Key, Metrics, Model, Out, Stage
from pipeline.records import PreferencePair, Rejection
from pipeline.storage import read_table, write_json, write_table
from pipeline.student.device import prepare
from pipeline.student.gate import require_passed
from pipeline.student.params import PreferenceParams
from pipeline.student.run_record import measures, write_record
from pipeline.student.teach import teach_dpo


class TrainDpoParams(PreferenceParams):
    """Section `train_dpo` of params.yaml; `pairs` names the filter whose pairs are trained on."""

    pairs: PairFilter = "strict"


DAG = Stage(each="students", machine_dependent=True)


def run(
    params: TrainDpoParams,
    *,
    corpus: Key[str],
    seed: int,
    pairs: In[PreferencePair],
    base: In[Model],
    sft: In[Model],
    validation: In[Json],
    audit: In[Json],
    out: Out[Model],
    record: Out[Folder],
    rejections: Out[Rejection],
    metrics: Metrics,
    checkpoints: Path | None = None,
) -> None:
    """Write the adapter on top of `sft` to `out`, the run to `record`, measures to `metrics`.

    Raises GateFailedError for a corpus that failed validation or the audit.
    """
    prepare(params.device)
    table = f"preferences-{params.pairs}-{corpus}"
    require_passed(corpus, table, validation=validation, audit=audit)
    taught = teach_dpo(
        read_table(pairs, PreferencePair),
        params,
        base=base,
        parents=(sft,),
        out=out,
        checkpoints=checkpoints or home() / "checkpoints",
        seed=seed,
    )
    write_table(rejections, Rejection, taught.rejections)
    write_record(record, taught)
    write_json(metrics, measures(taught))
