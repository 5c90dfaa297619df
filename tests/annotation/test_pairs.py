"""Preference pairs on a live server: sides are hidden, choices come home as chosen or rejected."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.annotation.adjudicate import disputed_items
from pipeline.annotation.agreement import live_alpha
from pipeline.annotation.items import pair_items
from pipeline.annotation.long_table import round_answers
from pipeline.annotation.posteriors import Model, label_posteriors
from pipeline.annotation.pull import pull_round
from pipeline.annotation.push import Push, push
from pipeline.annotation.rounds import disagreements, resolve
from pipeline.annotation.server_client import connect, dataset_name, fetch_records, find_dataset
from pipeline.errors import PipelineError
from pipeline.records import Exchange, PreferencePair
from pipeline.storage import write_table
from tests.annotation.conftest import Local, passwords, sign_in
from tests.annotation.example_round import BOOK, NAMES, a_push, item
from tests.examples import LOST_JOB, pair

pytestmark = [
    pytest.mark.argilla,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # crowd-kit's, of pandas
]
PEOPLE = ["pia", "quinn", "rae"]
PAIRS = 24


def truth(pair_id: str) -> str:
    """Return what a pair's text says of it: two thirds of the chosen sides are the better ones."""
    return "rejected" if int(pair_id.split("-")[1]) % 3 == 0 else "chosen"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pairs") / "pairs.parquet"
    rows = [
        pair(f"Chosen {number}.", f"Rejected {number}.").model_copy(update={"id": f"pair-{number}"})
        for number in range(PAIRS)
    ]
    write_table(path, PreferencePair, rows)
    write_table(path.with_name("exchanges.parquet"), Exchange, [LOST_JOB])
    return path


def test_pairs_go_out_and_choices_come_home(server: Local, tmp_path: Path, pairs: Path) -> None:
    items = pair_items(pairs, pairs.with_name("exchanges.parquet"), limit=PAIRS, wanted=3)
    accounts = tmp_path / "accounts.json"
    wanted = Push(
        round_number=41, kind="pairs", items=items, annotators=PEOPLE, guidelines=BOOK, seed=1
    )

    assert push(server.address, wanted, accounts=accounts).added == PAIRS
    assert push(server.address, wanted, accounts=accounts).added == 0
    with pytest.raises(PipelineError, match="not what items of kind responses are asked"):
        push(server.address, a_push(41, [item(1)], PEOPLE), accounts=accounts)
    answer_all(server, accounts)

    answers = pull_round(server.address, 41, NAMES)

    choices = {(row.item_id, row.annotator): row.value for row in answers}
    assert len(choices) == PAIRS * len(PEOPLE)
    for name in ("pia", "quinn"):
        assert all(choices[one.id, NAMES(name)] == truth(one.id) for one in items)
    assert {choices[one.id, NAMES("rae")] for one in items} == {"equal"}
    final = {label.item_id: label for label in resolve(answers, 41)}
    assert {one.id: final[one.id].values for one in items} == {
        one.id: (truth(one.id),) for one in items
    }
    assert {label.method for label in final.values()} == {"majority"}
    assert len(disagreements(answers)) == len(disputed_items(items, answers)) == PAIRS
    alpha = live_alpha(round_answers(answers))["better"]
    assert alpha is not None
    assert alpha < 0.5
    for model in ("dawid_skene", "mace"):
        check_posteriors(model, list(round_answers(answers)), [one.id for one in items])


def answer_all(server: Local, accounts: Path) -> None:
    """Let pia and quinn choose the better text, whichever side it is on, and rae choose neither."""
    client = connect(server.address)
    held = list(fetch_records(client, find_dataset(client, server.address, dataset_name(41))))
    shown = {row["fields"]["response_a"].split()[0] for row in held}
    assert shown == {"Chosen", "Rejected"}  # which side is A says nothing
    for name, password in passwords(accounts).items():
        given = []
        for row in held:
            first = row["fields"]["response_a"].split()[0].lower()
            side = "A" if first == truth(row["external_id"]) else "B"
            side = "equal" if name == "rae" else side
            given.append((row["id"], {"better": side}, "submitted"))
        sign_in(server, name, password).answer_many(given)


def check_posteriors(model: Model, answers: list[object], ids: list[str]) -> None:
    posteriors = label_posteriors(answers, "better", model)  # type: ignore[arg-type]

    assert set(posteriors) == set(ids)
    for one in ids:
        assert max(posteriors[one], key=lambda label: posteriors[one][label]) == truth(one)
