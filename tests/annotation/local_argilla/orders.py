"""A dataset with every kind of question, metadata and vector, for asking the search engine."""

from __future__ import annotations

import random
from typing import Any

from pipeline.annotation.server_client import connect
from tests.annotation.conftest import Local

RECORDS = 200


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


def similar(dataset: Any, value: Any, **more: Any) -> list[str]:
    from argilla import Query, Similar

    query = Query(similar=Similar(name=more.pop("name", "place"), value=value, **more))
    return [record.id for record, _ in dataset.records(query, limit=5)]
