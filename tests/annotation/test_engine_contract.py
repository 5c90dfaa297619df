"""What Argilla's page and client ask of a search engine, asked of ours on a live server."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from pipeline.annotation.server_client import connect, fetch_records
from tests.annotation.conftest import Annotator, Local, sign_in

pytestmark = [pytest.mark.argilla, pytest.mark.slow]
RECORDS = 200
PASSWORD = "a-password-for-tests"


def number(i: int) -> Any:
    """Return record i: its texts, metadata, vector and suggestions follow from i."""
    import argilla as rg

    draw = random.Random(i)
    kind = "coffee" if i % 2 else "tea"
    return rg.Record(
        id=f"r{i}",
        fields={
            "text": f"Order number {i}: one {kind} please",
            "chat": [
                {"role": "user", "content": f"table {i}"},
                {"role": "other", "content": "yes"},
            ],
        },
        metadata={"shop": ["north", "south", "west"][i % 3], "size": i, "share": i / RECORDS},
        vectors={"place": [draw.random() for _ in range(4)]},
        suggestions=[
            rg.Suggestion("stars", value=i % 5 + 1, score=0.5, agent="guesser"),
            rg.Suggestion("mood", value=["good", "bad", "mixed"][i % 3], score=i / RECORDS),
            rg.Suggestion("tags", value=["hot", "cold"][: i % 2 + 1], score=[0.5] * (i % 2 + 1)),
            rg.Suggestion("note", value=f"note {i}"),
            rg.Suggestion("marks", value=[{"start": 0, "end": 5, "label": "item"}]),
        ],
    )


def make(local: Local, name: str, *, min_submitted: int = 2) -> Any:
    """Create a dataset with every kind of question, metadata and vector."""
    import argilla as rg

    settings = rg.Settings(
        guidelines="Judge the order",
        fields=[rg.TextField(name="text"), rg.ChatField(name="chat", required=False)],
        questions=[
            rg.RatingQuestion(name="stars", values=[1, 2, 3, 4, 5]),
            rg.LabelQuestion(name="mood", labels=["good", "bad", "mixed"]),
            rg.MultiLabelQuestion(name="tags", labels=["hot", "cold", "late"], required=False),
            rg.TextQuestion(name="note", required=False),
            rg.SpanQuestion(name="marks", field="text", labels=["item", "error"], required=False),
            rg.RankingQuestion(name="order", values=["a", "b", "c"], required=False),
        ],
        metadata=[
            rg.TermsMetadataProperty(name="shop"),
            rg.IntegerMetadataProperty(name="size"),
            rg.FloatMetadataProperty(name="share"),
        ],
        vectors=[rg.VectorField(name="place", dimensions=4)],
        distribution=rg.TaskDistribution(min_submitted=min_submitted),
    )
    client = connect(local.address)
    workspace = local.address.workspace
    return rg.Dataset(name=name, workspace=workspace, settings=settings, client=client).create()


@pytest.fixture(scope="module")
def people(server: Local) -> list[Annotator]:
    import argilla as rg

    client = connect(server.address)
    workspace = client.workspaces(server.address.workspace)
    found = []
    for name in ("eve", "finn"):
        user = rg.User(username=name, first_name=name, password=PASSWORD, client=client)
        user.role = "annotator"
        user.create().add_to_workspace(workspace)
        found.append(sign_in(server, name, PASSWORD))
    return found


@pytest.fixture(scope="module")
def dataset(server: Local, people: list[Annotator]) -> Any:
    """200 records; eve submitted 0-29, finn 0-14, drafted 40-44, discarded 45-49."""
    made = make(server, f"contract-{uuid4().hex[:6]}")
    made.records.log([number(i) for i in range(RECORDS)], batch_size=RECORDS)
    held = ids(made)
    eve, finn = people
    order = {"order": ranked("b", "a", "c")}
    eve.answer_many([(held[f"r{i}"], answers(i, "good") | order, "submitted") for i in range(30)])
    moods = ["bad" if i % 2 else "good" for i in range(15)]
    finn.answer_many(
        [(held[f"r{i}"], answers(i + 1, mood), "submitted") for i, mood in enumerate(moods)]
        + [(held[f"r{i}"], {"mood": "mixed"}, "draft") for i in range(40, 45)]
        + [(held[f"r{i}"], {"mood": "mixed"}, "discarded") for i in range(45, 50)]
    )
    return made


def answers(i: int, mood: str) -> dict[str, Any]:
    marks = [{"start": 0, "end": 5, "label": "error"}]
    return {"stars": i % 5 + 1, "mood": mood, "tags": ["hot"], "marks": marks, "note": f"w{i}"}


def ranked(*names: str) -> list[dict[str, Any]]:
    return [{"value": name, "rank": place} for place, name in enumerate(names, start=1)]


def ids(dataset: Any) -> dict[str, Any]:
    return {record.id: record._server_id for record in dataset.records()}


def found(dataset: Any, **query: Any) -> int:
    from argilla import Filter, Query

    if "filter" in query:
        query["filter"] = Filter(query["filter"])
    return len(list(dataset.records(Query(**query))))


def rest(who: Any, method: str, path: str, **more: Any) -> Any:
    reply = who.http_client.request(method, path, **more)
    assert reply.status_code < 300, reply.text
    return reply.json() if reply.content else None


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


def similar(dataset: Any, value: Any, **more: Any) -> list[str]:
    from argilla import Query, Similar

    query = Query(similar=Similar(name=more.pop("name", "place"), value=value, **more))
    return [record.id for record, _ in dataset.records(query, limit=5)]


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


@pytest.fixture
def small(server: Local) -> Iterator[Any]:
    """Ten records of their own for a test that changes things."""
    made = make(server, f"small-{uuid4().hex[:6]}")
    made.records.log([number(i) for i in range(10)], batch_size=10)
    yield made
    made.delete()


def test_an_answer_can_be_changed_and_taken_back(
    server: Local, small: Any, people: list[Annotator]
) -> None:
    eve = people[0]
    held = ids(small)
    eve.answer(held["r1"], answers(1, "good"))
    eve.answer(held["r1"], answers(1, "bad"))
    assert found(small, filter=("mood.response", "==", "bad")) == 1

    owner = connect(server.address)
    answered = next(row for row in fetch_records(owner, small) if row["responses"])
    rest(eve.client, "DELETE", f"/api/v1/responses/{answered['responses'][0]['id']}")

    assert found(small, filter=("response.status", "==", "submitted")) == 0


def test_the_owner_can_answer_in_someones_name(small: Any, people: list[Annotator]) -> None:
    import argilla as rg

    record = number(4)
    record.responses.add(
        rg.Response("stars", 5, user_id=people[1].client.me.id, status="submitted")
    )
    record.responses.add(
        rg.Response("mood", "bad", user_id=people[1].client.me.id, status="submitted")
    )
    small.records.log([record])

    assert found(small, filter=("mood.response", "==", "bad")) == 1


def test_metadata_and_vectors_can_be_added_later(small: Any) -> None:
    import argilla as rg

    small.settings.metadata.add(rg.TermsMetadataProperty(name="late"))
    small.settings.vectors.add(rg.VectorField(name="mood_space", dimensions=3))
    small.settings.update()
    later = []
    for i in range(5):
        record = number(i)
        record.metadata["late"] = "yes"
        record.vectors["mood_space"] = [1.0, 0.5, i / 10]
        later.append(record)
    small.records.log(later, batch_size=5)

    assert found(small, filter=("metadata.late", "==", "yes")) == 5
    assert similar(small, [1.0, 0.5, 0.1], name="mood_space")[0] == "r1"


def test_lowering_what_is_needed_completes_records_by_the_worker(
    server: Local, people: list[Annotator]
) -> None:
    import argilla as rg

    made = make(server, f"needs-{uuid4().hex[:6]}", min_submitted=2)
    made.records.log([number(i) for i in range(5)], batch_size=5)
    made.settings.distribution = rg.TaskDistribution(min_submitted=1)
    made.settings.update()
    people[0].answer(ids(made)["r0"], answers(1, "good"))

    deadline = time.monotonic() + 30
    while found(made, filter=("status", "==", "completed")) != 1:
        assert time.monotonic() < deadline, "the worker did not come to it"
        time.sleep(0.3)
    made.delete()


def test_a_suggestion_and_records_can_be_deleted(server: Local, small: Any) -> None:
    client = connect(server.address)
    path = f"/api/v1/records/{ids(small)['r6']}/suggestions"
    first = rest(client, "GET", path)["items"][0]
    rest(client, "DELETE", f"{path}?ids={first['id']}")
    small.records.delete([one for one in small.records() if one.id in ("r8", "r9")])

    assert len(rest(client, "GET", path)["items"]) == 4
    assert found(small, query="please") == 8


def test_a_dataset_survives_disk(server: Local, small: Any, tmp_path: Any) -> None:
    import argilla as rg

    (tmp_path / "copy").mkdir()
    small.to_disk(str(tmp_path / "copy"))
    copy = rg.Dataset.from_disk(
        str(tmp_path / "copy"),
        name=f"copy-{uuid4().hex[:6]}",
        workspace=server.address.workspace,
        client=connect(server.address),
    )

    assert len(ids(copy)) == 10
    copy.delete()
    assert connect(server.address).datasets(copy.name) is None
