"""What Argilla's page and client ask of a search engine, asked of ours on a live server."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.annotation.server_client import connect
from tests.annotation.conftest import Annotator, Local
from tests.annotation.local_argilla.orders import RECORDS, found, ids, number, rest, similar

pytestmark = [pytest.mark.argilla, pytest.mark.slow]


def test_all_records_are_there(dataset: Any) -> None:
    assert len(ids(dataset)) == RECORDS


def test_logging_a_record_again_updates_it(dataset: Any) -> None:
    dataset.records.log([number(i) for i in range(20)], batch_size=20)

    assert len(ids(dataset)) == RECORDS


@pytest.mark.parametrize(
    ("expected", "query"),
    [
        (15, {"filter": ("status", "==", "completed")}),
        (185, {"filter": ("status", "==", "pending")}),
        (67, {"filter": ("metadata.shop", "==", "north")}),
        (134, {"filter": ("metadata.shop", "in", ["north", "south"])}),
        (11, {"filter": [("metadata.size", ">=", 10), ("metadata.size", "<=", 20)]}),
        (101, {"filter": ("metadata.share", "<=", 0.5)}),
        (67, {"filter": ("mood.suggestion", "==", "good")}),
        (100, {"filter": ("mood.score", ">=", 0.5)}),
        (RECORDS, {"filter": ("stars.agent", "==", "guesser")}),
        (100, {"filter": ("tags.suggestion", "in", ["cold"])}),
        (7, {"filter": ("mood.response", "==", "bad")}),
        (30, {"filter": ("mood.response", "==", "good")}),
        (30, {"filter": ("response.status", "==", "submitted")}),
        (5, {"filter": ("response.status", "==", "discarded")}),
        (5, {"filter": ("response.status", "==", "draft")}),
        (
            22,
            {
                "filter": [
                    ("metadata.shop", "==", "north"),
                    ("mood.score", ">=", 0.5),
                    ("metadata.size", "<=", 166),
                ]
            },
        ),
        (100, {"query": "coffee"}),
        (1, {"query": "number 77 coffee"}),
        (1, {"query": '"number 77" -tea'}),
        (RECORDS, {"query": "pleas*"}),
        (0, {"query": "coffee tea"}),
        (1, {"query": "table 123"}),
        (10, {"query": "tea", "filter": ("metadata.size", "<=", 18)}),
    ],
    ids=str,
)
def test_a_query_finds(dataset: Any, expected: int, query: dict[str, Any]) -> None:
    assert found(dataset, **query) == expected


def test_progress_counts_what_two_people_finished(dataset: Any) -> None:
    progress = dataset.progress(with_users_distribution=True)

    assert (progress["total"], progress["completed"], progress["pending"]) == (RECORDS, 15, 185)
    assert progress["users"]["finn"]["pending"] == {"submitted": 0, "draft": 5, "discarded": 5}


def test_a_person_sees_what_waits_for_them(dataset: Any, people: list[Annotator]) -> None:
    waiting = {
        "type": "terms",
        "scope": {"entity": "response", "property": "status"},
        "values": ["pending"],
    }
    body = {"filters": {"type": "and", "and": [waiting]}}
    path = f"/api/v1/me/datasets/{dataset.id}"

    reply = rest(people[0].client, "POST", f"{path}/records/search", json=body)

    assert reply["total"] == RECORDS - 30
    mine = rest(people[0].client, "GET", f"{path}/metrics")["responses"]
    assert (mine["submitted"], mine["pending"]) == (30, RECORDS - 30)


def test_people_get_records_in_their_own_order_which_stays(
    dataset: Any, people: list[Annotator]
) -> None:
    path = f"/api/v1/me/datasets/{dataset.id}/records/search"
    orders = [
        [item["record"]["id"] for item in rest(who.client, "POST", path, json={})["items"]]
        for who in (people[0], people[0], people[1])
    ]

    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize(
    "scope",
    [
        {"entity": "metadata", "metadata_property": "size"},
        {"entity": "suggestion", "question": "mood", "property": "score"},
    ],
)
def test_records_are_sorted(server: Local, dataset: Any, scope: dict[str, str]) -> None:
    body = {"sort": [{"scope": scope, "order": "desc"}]}
    client = connect(server.address)

    reply = rest(client, "POST", f"/api/v1/datasets/{dataset.id}/records/search", json=body)

    assert reply["items"][0]["record"]["external_id"] == f"r{RECORDS - 1}"


def test_records_are_sorted_by_a_persons_own_rating(dataset: Any, people: list[Annotator]) -> None:
    scope = {"entity": "response", "question": "stars"}
    reply = rest(
        people[0].client,
        "POST",
        f"/api/v1/me/datasets/{dataset.id}/records/search?limit=3&include=responses",
        json={"sort": [{"scope": scope, "order": "desc"}]},
    )

    ratings = [
        item["record"]["responses"][0]["values"]["stars"]["value"] for item in reply["items"]
    ]
    assert ratings == [5, 5, 5]


def test_the_nearest_to_a_vector_is_its_own_record(dataset: Any) -> None:
    assert similar(dataset, list(number(7).vectors["place"]))[0] == "r7"


def test_the_nearest_to_a_record_are_others(dataset: Any) -> None:
    record = next(one for one in dataset.records() if one.id == "r7")

    near = similar(dataset, record)

    assert len(near) == 5
    assert "r7" not in near


def test_similarity_and_filters_go_together(dataset: Any) -> None:
    from argilla import Filter, Query, Similar

    wanted = Similar(name="place", value=list(number(7).vectors["place"]))
    query = Query(similar=wanted, filter=Filter(("metadata.shop", "==", "north")))

    assert {record.metadata["shop"] for record, _ in dataset.records(query, limit=5)} == {"north"}


def test_the_least_similar_are_not_the_nearest(dataset: Any) -> None:
    vector = list(number(7).vectors["place"])

    assert not set(similar(dataset, vector)) & set(similar(dataset, vector, most_similar=False))


def test_metrics_describe_metadata(server: Local, dataset: Any) -> None:
    client = connect(server.address)
    listed = rest(client, "GET", f"/api/v1/me/datasets/{dataset.id}/metadata-properties")["items"]
    metrics = {
        one["name"]: rest(client, "GET", f"/api/v1/metadata-properties/{one['id']}/metrics")
        for one in listed
    }

    assert (metrics["size"]["min"], metrics["size"]["max"]) == (0, RECORDS - 1)
    assert {one["term"]: one["count"] for one in metrics["shop"]["values"]} == {
        "north": 67,
        "south": 67,
        "west": 66,
    }
    assert metrics["share"]["max"] == pytest.approx((RECORDS - 1) / RECORDS)


def test_everything_comes_back_with_its_value(dataset: Any) -> None:
    records = dataset.records(with_suggestions=True, with_responses=True, with_vectors=True)
    row = next(row for row in records.to_list(flatten=True) if row["id"] == "r3")

    assert sorted(row["stars.responses"]) == [4, 5]
    assert sorted(row["mood.responses"]) == ["bad", "good"]
    assert "error" in str(row["marks.responses"][0])
    assert "b" in str(row["order.responses"][0])
    assert row["mood.suggestion"] == "good"


def test_records_become_a_hugging_face_table(dataset: Any) -> None:
    assert dataset.records(with_responses=True).to_datasets().num_rows == RECORDS
