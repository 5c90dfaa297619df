"""The split stage: one assignment per exchange, in order, and the leaks that are left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from pipeline.errors import GateFailedError
from pipeline.records import Exchange, Response, SplitAssignment
from pipeline.stages import split
from pipeline.stages.split import SplitParams
from pipeline.storage import read_json, read_table, write_table
from tests.examples import INGESTED, LOST_JOB, response

SAME = "My neighbour of thirty years died on Sunday and I miss him."


def exchange(number: int, **changed: object) -> Exchange:
    values = {"id": f"e{number}", "dialogue_id": f"d{number}", "utterance": f"{number} " * 6}
    return LOST_JOB.model_copy(update={**values, "situation": f"{number}", **changed})


def run(
    folder: Path,
    exchanges: Sequence[Exchange],
    responses: Sequence[Response] = (),
    *,
    rule: Literal["papers", "grouped_random"] = "grouped_random",
) -> tuple[list[SplitAssignment], dict[str, Any]]:
    write_table(folder / "exchanges", Exchange, exchanges)
    write_table(folder / "responses", Response, responses)
    split.run(
        SplitParams(rule=rule, test_share=0.5, near_duplicate_threshold=0.6, min_words=5),
        seed=1,
        exchanges=folder / "exchanges",
        responses=folder / "responses",
        out=folder / "splits",
        metrics=folder / "metrics",
    )
    return list(read_table(folder / "splits", SplitAssignment)), read_json(folder / "metrics")


def test_assignments_are_in_the_order_of_the_exchanges(tmp_path: Path) -> None:
    exchanges = [exchange(number) for number in (3, 1, 2)]

    assignments, _ = run(tmp_path, exchanges)

    assert [one.exchange_id for one in assignments] == ["e3", "e1", "e2"]
    assert {one.rule for one in assignments} == {"grouped_random"}


def test_exchanges_of_one_dialogue_are_on_one_side(tmp_path: Path) -> None:
    exchanges = [exchange(number, dialogue_id=f"d{number // 4}") for number in range(20)]

    assignments, _ = run(tmp_path, exchanges)

    sides = {(number // 4, one.split) for number, one in enumerate(assignments)}
    assert len(sides) == 5


def test_the_sizes_are_counted(tmp_path: Path) -> None:
    _, metrics = run(tmp_path, [exchange(number) for number in range(10)])

    assert (metrics["train"], metrics["test"], metrics["groups"]) == (5, 5, 10)


def test_nearly_equal_dialogues_share_a_group(tmp_path: Path) -> None:
    texts = [SAME, SAME.replace("Sunday", "Monday")]
    exchanges = [exchange(number, situation=text) for number, text in enumerate(texts)]

    assignments, metrics = run(tmp_path, exchanges)

    assert len({one.group for one in assignments}) == 1
    assert not any(metrics["leaks"].values())


def test_leaks_of_the_authors_split_are_counted_and_do_not_fail(tmp_path: Path) -> None:
    exchanges = [exchange(1, collection_id="hit:1"), exchange(2, collection_id="hit:1")]
    ratings = {"e1": (3, 3), "e2": (1, 3)}
    responses = [
        Response(
            id=f"{one}-{n}", exchange_id=one, responder=f"w{n}", text="Hm.", rating=rating,
            lineage=INGESTED,
        )
        for one, both in ratings.items()
        for n, rating in enumerate(both)
    ]  # fmt: skip

    assignments, metrics = run(tmp_path, exchanges, responses, rule="papers")

    assert [one.split for one in assignments] == ["train", "test"]
    assert metrics["leaks"]["collection"] == 1


def test_a_leak_of_the_grouped_split_fails_the_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(items: Sequence[Any], *_: object, **__: object) -> tuple[list[str], list[str]]:
        return ["train", "test"], [one.dialogue_id for one in items]

    monkeypatch.setattr(split, "grouped_random_split", careless)
    exchanges = [exchange(1, situation=SAME), exchange(2, situation=SAME)]

    with pytest.raises(GateFailedError, match="linked dialogues are on both sides") as failed:
        run(tmp_path, exchanges)

    assert failed.value.exit_code == 1


def test_a_gate_that_failed_leaves_the_old_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchanges = [exchange(1, situation=SAME), exchange(2, situation=SAME)]
    run(tmp_path, exchanges)
    before = (tmp_path / "splits").read_bytes()
    monkeypatch.setattr(
        split,
        "grouped_random_split",
        lambda items, *_, **__: (["train", "test"], [one.dialogue_id for one in items]),
    )

    with pytest.raises(GateFailedError, match="both sides"):
        run(tmp_path, exchanges)

    assert (tmp_path / "splits").read_bytes() == before


def test_responses_that_say_nothing_new_do_not_matter(tmp_path: Path) -> None:
    assignments, _ = run(tmp_path, [LOST_JOB], [response("human", 3), response("bot", 3)],
                         rule="papers")  # fmt: skip

    assert assignments[0].split == "train"
