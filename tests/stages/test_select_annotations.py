"""Signals of scorers, findings and embeddings reach routing; without them it is random."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.features.table import FeatureTable, write_features
from pipeline.params import load_params
from pipeline.records import Response, Selected, SplitAssignment, Suggestion
from pipeline.stages import select_annotations
from pipeline.storage import read_json, read_table, write_table
from pipeline.workspace import PROJECT
from tests.examples import LOST_JOB, response

OURS = load_params(PROJECT / "params.yaml").select_annotations
COUNT = 60


def exchange_id(number: int) -> str:
    return f"exchange-{number:02d}"


def answer(number: int) -> Response:
    exchange = LOST_JOB.model_copy(update={"id": exchange_id(number), "dialogue_id": f"d{number}"})
    return response("abc"[number % 3], 2, exchange=exchange)


ANSWERS = [answer(number) for number in range(COUNT)]


def select(folder: Path, **more: Any) -> tuple[list[Selected], dict[str, Any]]:
    """Return what is selected of 60 train responses of three responders, and the figures."""
    write_table(folder / "responses.parquet", Response, ANSWERS)
    splits = [
        SplitAssignment(exchange_id=exchange_id(n), split="train", group=f"d{n}", rule="papers")
        for n in range(COUNT)
    ]
    write_table(folder / "splits.parquet", SplitAssignment, splits)
    given = {name: more.pop(name) for name in ("scores", "features") if name in more}
    select_annotations.run(
        OURS.model_copy(update={"budget": 12, **more}),
        seed=1,
        responses=folder / "responses.parquet",
        splits=folder / "splits.parquet",
        rounds=folder / "rounds",
        out=folder / "selection.parquet",
        metrics=folder / "metrics.json",
        **given,
    )
    return list(read_table(folder / "selection.parquet", Selected)), read_json(
        folder / "metrics.json"
    )


def proposals(folder: Path) -> Path:
    """Write two scorers that are surer, and agree more, the later a response comes."""
    path = folder / "suggestions.jsonl"
    with path.open("w") as stream:
        for number, one in enumerate(ANSWERS):
            for agent, pull in (("one", 0.5), ("two", -0.5)):
                sure = 1 / 3 + number / COUNT * 2 / 3
                apart = pull * (1 - number / COUNT) * (1 - sure)
                rest = (1 - sure) / 2
                chances = {"1": rest - apart, "2": sure, "3": rest + apart}
                row = Suggestion(
                    item_id=one.id,
                    question="empathy",
                    value=2,
                    score=sure,
                    probabilities=chances,
                    agent=agent,
                )
                stream.write(row.model_dump_json() + "\n")
    return path


def embeddings(folder: Path) -> Path:
    """Write embeddings in which every tenth response lies alone and all others on one spot."""
    alone = [number if number % 10 == 0 else 0 for number in range(COUNT)]
    values = np.zeros((COUNT, 2))
    values[:, 0] = alone
    names = ("response_0", "response_1")
    path = folder / "features.parquet"
    write_features(path, FeatureTable(tuple(one.id for one in ANSWERS), names, values))
    return path


def test_without_any_signal_all_is_random_and_the_figures_say_so(tmp_path: Path) -> None:
    rows, figures = select(tmp_path, uncertainty_share=0.5, diversity_share=0.3)

    assert {row.reason for row in rows} == {"random"}
    assert set(figures["signals"].values()) == {"not available"}
    assert len(rows) == 12


def test_what_scorers_are_unsure_of_or_differ_on_is_asked_first(tmp_path: Path) -> None:
    rows, figures = select(
        tmp_path, scores=proposals(tmp_path), random_share=0.0, uncertainty_share=1.0
    )

    assert {row.reason for row in rows} == {"uncertain"}
    assert {row.item_id for row in rows} == {one.id for one in ANSWERS[:12]}
    assert figures["signals"]["scores"] == figures["signals"]["disagreement"] == COUNT


def test_with_our_settings_scores_do_not_move_the_random_choice(tmp_path: Path) -> None:
    before, _ = select(tmp_path)
    after, _ = select(tmp_path, scores=proposals(tmp_path), features=embeddings(tmp_path))

    assert before == after


def test_what_lies_far_from_all_picks_is_asked_for(tmp_path: Path) -> None:
    rows, figures = select(
        tmp_path, features=embeddings(tmp_path), random_share=0.5, diversity_share=0.25
    )

    picked = {row.item_id: row.reason for row in rows}
    alone = [one.id for number, one in enumerate(ANSWERS) if number % 10 == 0 and number]
    reasons = Counter(picked.values())
    assert reasons["diverse"] == 3
    assert {name for name, why in picked.items() if why == "diverse"} <= set(alone)
    assert figures["signals"]["vectors"] == COUNT
    assert len({row.responder for row in rows}) == 3
