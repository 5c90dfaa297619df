"""Claim: the local Argilla is up in under 30 s, takes 60 records/s, turns a page in under 1 s.

5,000 records with suggestions; a page turn is the request that the page makes for the next pending
records, the median of ten. Needs the server's environment (`distillery annotate
up` installs it).
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT, Measurement, Skipped, stopwatch
from pipeline.annotation.guidelines import load_guidelines
from pipeline.annotation.items import Item
from pipeline.annotation.local_argilla import home, install, process
from pipeline.annotation.push import Push, push
from pipeline.annotation.server_client import Address, connect, dataset_name
from pipeline.records import Suggestion

RECORDS = 5000
VENV = ROOT / ".distillery" / "argilla" / "venv"


def run() -> list[Measurement]:
    """Start a server with a database of its own, push, turn pages, stop it."""
    with tempfile.TemporaryDirectory() as scratch:
        at = home.home_at(Path(scratch) / "argilla", VENV)
        if not install.is_installed(at):
            raise Skipped("Argilla's server is not installed (distillery annotate up)")
        try:
            with stopwatch() as first:
                process.start(at)
            process.stop(at)
            with stopwatch() as again:
                running = process.start(at)
            secrets = home.read_credentials(at)
            address = Address(running.url, secrets.api_key, secrets.workspace)
            with stopwatch() as pushing:
                push(address, _round(), accounts=Path(scratch) / "accounts.json")
            turns = _page_turns(address)
        finally:
            process.stop(at)
    return [
        Measurement("annotate_up_first", first(), "s"),
        Measurement("annotate_up_again", again(), "s"),
        Measurement("annotate_push", RECORDS / pushing(), "records/s", rows=RECORDS),
        Measurement("annotate_page_turn", statistics.median(turns), "s", rows=RECORDS),
    ]


def _round() -> Push:
    return Push(
        round_number=1,
        kind="responses",
        items=[_item(number) for number in range(RECORDS)],
        annotators=["ann", "ben", "cleo"],
        guidelines=load_guidelines(ROOT / "annotations" / "guidelines"),
        seed=0,
    )


def _item(number: int) -> Item:
    name = f"response-{number}"
    text = f"That sounds hard, number {number}. What would help you most right now?"
    return Item(
        id=name,
        fields={
            "situation": f"Situation {number}, told in a sentence or two.",
            "chat": [
                {"role": "speaker", "content": f"Utterance {number}."},
                {"role": "listener", "content": text},
            ],
            "response": text,
        },
        blind=False,
        suggestions=(
            Suggestion(item_id=name, question="empathy", value=2, score=0.6, agent="scorer"),
        ),
    )


def _page_turns(address: Address) -> list[float]:
    client = connect(address)
    dataset: Any = client.datasets(dataset_name(1), workspace=address.workspace)
    pending = {
        "type": "terms",
        "scope": {"entity": "response", "property": "status"},
        "values": ["pending"],
    }
    body = {"filters": {"type": "and", "and": [pending]}}
    path = f"/api/v1/me/datasets/{dataset.id}/records/search"
    times = []
    for page in range(10):
        with stopwatch() as seconds:
            client.http_client.post(
                path,
                params={"offset": page * 10, "limit": 10, "include": ["suggestions", "responses"]},
                json=body,
            ).raise_for_status()
        times.append(seconds())
    return times
