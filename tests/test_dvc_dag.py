"""The pipeline is a DAG: what is trained on something never helps to make it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dvc.repo import Repo

from pipeline.workspace import PROJECT

Needs = dict[str, set[str]]


@pytest.fixture(scope="module")
def needs() -> Iterator[Needs]:
    """Return, for every stage of dvc.yaml with its items resolved, the stages that it reads."""
    with Repo(str(PROJECT)) as repo:
        graph = repo.index.graph
        yield {
            stage.addressing: {other.addressing for other in graph.successors(stage)}
            for stage in graph
        }


def _ancestors(needs: Needs, name: str) -> set[str]:
    """Return all that `name` depends on, directly or not; itself only in a ring."""
    waiting, seen = [*needs[name]], set[str]()
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += needs[one]
    return seen


def test_no_stage_depends_on_its_own_descendant(needs: Needs) -> None:
    assert [name for name in needs if name in _ancestors(needs, name)] == []


def test_the_walk_finds_a_ring() -> None:
    assert "a" in _ancestors({"a": {"b"}, "b": {"c"}, "c": {"a"}}, "a")


def test_no_stage_that_makes_the_rewards_pairs_needs_the_reward(needs: Needs) -> None:
    makers = {"ingest", "split", "merge_annotations"} | {
        name for name in needs if name.startswith("build_preferences")
    }

    assert makers <= _ancestors(needs, "train_reward")
    assert [name for name in makers if "train_reward" in _ancestors(needs, name)] == []


def test_corpora_are_counted_and_described_without_a_gate_a_rating_or_a_training(
    needs: Needs,
) -> None:
    later = {"audit", "expect", "validate", "rate", "train_sft", "train_dpo", "generate"}
    for name in ("count_corpora", "describe_corpora"):
        assert later.isdisjoint(other.split("@")[0] for other in _ancestors(needs, name))
