"""Stage `reward_curve`: how well reward models prefer with 1% to all of the labels."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from pipeline.config import Section
from pipeline.declare import In, Metrics, Stage
from pipeline.features.embeddings import CACHE, CachedEmbedder, MiniLm
from pipeline.progress import track
from pipeline.records import Exchange, Response, SplitAssignment
from pipeline.reward_model.data import PairRows, indexed
from pipeline.reward_model.encoder import FrozenEncoder, Scaling
from pipeline.reward_model.heads import HeadName
from pipeline.reward_model.learning_curve import CurveData, Variant, curve_rows, train_on
from pipeline.reward_model.texts import RewardError, rated_pairs, text_of
from pipeline.storage import read_table, write_json

AGAINST = "linear"
LEAST_TEST_PAIRS = 5


class RewardCurveParams(Section):
    """Section `reward_curve` of params.yaml."""

    models: tuple[HeadName, ...] = Field(min_length=1)
    fractions: tuple[float, ...] = Field(min_length=1, description="of the train pairs, 0 to 1")
    seeds: int = Field(gt=1, description="draws of each fraction")


DAG = Stage(machine_dependent=True)


def run(
    params: RewardCurveParams,
    *,
    exchanges: In[Exchange],
    responses: In[Response],
    splits: In[SplitAssignment],
    metrics: Metrics,
    embeddings: Path = CACHE,
) -> None:
    """Write a row per model and fraction to `metrics`."""
    data = _data(exchanges, responses, splits, embeddings)
    names = dict.fromkeys((AGAINST, *params.models))
    rows = []
    for fraction in track(params.fractions, "fitting", total=len(params.fractions)):
        trained = {
            name: [
                train_on(data, Variant(name, name, {}).fit, fraction, seed)
                for seed in range(params.seeds)
            ]
            for name in names
        }
        rows += curve_rows(data, trained, fraction, AGAINST)
    # Seconds differ from run to run; the benchmark measures them.
    write_json(metrics, [{key: row[key] for key in row if key != "fit_s"} for row in rows])


def _data(exchanges: Path, responses: Path, splits: Path, embeddings: Path) -> CurveData:
    known = {one.id: one for one in read_table(exchanges, Exchange)}
    split_of = {one.exchange_id: one.split for one in read_table(splits, SplitAssignment)}
    answered: dict[str, list[Response]] = {}
    for one in read_table(responses, Response):
        answered.setdefault(one.exchange_id, []).append(one)
    pairs = [pair for name, group in answered.items() for pair in rated_pairs(known[name], group)]
    texts, rows = indexed(pairs)
    split_by_text = {
        text_of(known[one.exchange_id], one): split_of[one.exchange_id]
        for group in answered.values()
        for one in group
    }
    in_train = [split_by_text[text] == "train" for text in texts]
    encoder = FrozenEncoder(CachedEmbedder(MiniLm(), embeddings))
    train, test = _parted(rows, in_train)
    if len(test) < LEAST_TEST_PAIRS or not len(train):
        raise RewardError(
            f"{responses}: {len(train)} train and {len(test)} test pairs of differing ratings\n"
            "A curve needs rated responses on both sides of the split."
        )
    raw = encoder.encode(texts)
    unlabelled = [row for row, inside in enumerate(in_train) if inside]
    scaling = Scaling.of(raw[unlabelled], encoder.style)
    return CurveData("train and test", scaling.apply(raw), train, test, train.texts())


def _parted(rows: PairRows, in_train: list[bool]) -> tuple[PairRows, PairRows]:
    import numpy as np

    inside = np.array(in_train)[rows.chosen]
    return rows.take(inside), rows.take(~inside)
