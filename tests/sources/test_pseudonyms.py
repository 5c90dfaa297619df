"""Pseudonyms of raters: by a key alone, and the secret that the key is."""

from __future__ import annotations

import os
import random
import re
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.annotation.pseudonyms import load_pseudonyms
from pipeline.errors import PipelineError
from pipeline.records import Response
from pipeline.sources import TableColumns
from pipeline.sources.base import Sourced
from pipeline.sources.pseudonyms import (
    OLD_SECRET,
    PUBLISHED,
    SECRET,
    Raters,
    known_raters,
    load_secret,
    raters_of_this_run,
)
from pipeline.sources.table import TABLE
from pipeline.stages import ingest
from pipeline.stages.ingest import IngestParams
from pipeline.storage import read_json, read_table
from tests.builds import read, write_csv
from tests.sources.raw import table_row

COLUMNS = TableColumns.model_validate(
    {
        "utterance": "utterance",
        "dialogue_id": "id",
        "responses": {
            "human": {"text": "response_human", "rating": "rating_human", "rater": "rater"}
        },
        "licence": "CC-BY-4.0",
    }
)
ROWS = [table_row(number) | {"rater": f"W{number % 7}@example"} for number in range(1, 41)]
IDS = {str(row["rater"]) for row in ROWS}


def of_responses(items: list[Any]) -> dict[str, str | None]:
    return {
        one.id: one.rater for item in items if isinstance(item, Sourced) for one in item.responses
    }


def raters_in(folder: Path, name: str, rows: list[Any], key: Raters) -> dict[str, str | None]:
    path = write_csv(folder / name, rows)
    return of_responses(read(TABLE, path, columns=COLUMNS, raters=key))


def ingested(folder: Path, columns: TableColumns = COLUMNS) -> tuple[set[str | None], Any]:
    """Ingest `ROWS` with the secret in `folder`; return the raters in the table and the metrics."""
    folder.mkdir(exist_ok=True)
    ingest.run(
        IngestParams(
            source="table",
            path=write_csv(folder / "mine.csv", ROWS),
            columns=columns,
            max_chars=1000,
        ),
        exchanges=folder / "exchanges.parquet",
        responses=folder / "responses.parquet",
        rejections=folder / "rejections.parquet",
        metrics=folder / "metrics.json",
        secrets=folder,
    )
    rows = read_table(folder / "responses.parquet", Response)
    return {one.rater for one in rows}, read_json(folder / "metrics.json")


def test_the_order_of_rows_changes_no_pseudonym(tmp_path: Path) -> None:
    key = Raters(b"key")
    shuffled = random.Random(1).sample(ROWS, len(ROWS))

    there = raters_in(tmp_path, "a.csv", ROWS, key)

    assert len(set(there.values())) == 7
    assert raters_in(tmp_path, "b.csv", shuffled, key) == there


def test_a_file_that_is_split_gives_the_pseudonyms_of_the_whole(tmp_path: Path) -> None:
    key = Raters(b"key")
    parts = [raters_in(tmp_path, f"{at}.csv", ROWS[at::3], key) for at in range(3)]

    assert parts[0] | parts[1] | parts[2] == raters_in(tmp_path, "whole.csv", ROWS, key)


def test_without_the_secret_a_list_of_the_ids_leads_to_no_pseudonym(tmp_path: Path) -> None:
    found, _ = ingested(tmp_path)
    others = (PUBLISHED, Raters(b""), Raters(b"guessed"), raters_of_this_run())

    guesses = {one.pseudonym(rater) for one in others for rater in IDS}

    assert len(found) == 7
    assert found.isdisjoint(guesses)
    assert found == {Raters(load_secret(tmp_path)).pseudonym(rater) for rater in IDS}


def test_no_file_that_ingest_writes_holds_a_rater_id_or_the_secret(tmp_path: Path) -> None:
    ingested(tmp_path)
    secret = load_secret(tmp_path)

    for path in tmp_path.iterdir():
        if path.is_file() and path.name != "mine.csv":
            content = path.read_bytes()
            assert not [rater for rater in IDS if rater.encode() in content], path.name
            assert secret not in content
            assert secret.hex().encode() not in content


def test_another_secret_gives_other_tables_and_the_metrics_tell(tmp_path: Path) -> None:
    first, metrics = ingested(tmp_path / "a")
    second, others = ingested(tmp_path / "b")

    assert first.isdisjoint(second)
    assert re.fullmatch(r"[0-9a-f]{8}", metrics["rater_key"])
    assert metrics["rater_key"] != others["rater_key"]
    assert ingested(tmp_path / "a") == (first, metrics)


def test_no_secret_is_made_where_no_rater_is_named(tmp_path: Path) -> None:
    human = COLUMNS.responses["human"].model_copy(update={"rater": None})
    unnamed = COLUMNS.model_copy(update={"responses": {"human": human}})

    found, metrics = ingested(tmp_path, unnamed)

    assert (found, metrics["rater_key"]) == ({None}, None)
    assert not (tmp_path / SECRET).exists()


def test_half_a_character_in_a_rater_id_is_hashed_like_any(tmp_path: Path) -> None:
    assert Raters(b"key").pseudonym("\ud83d") != Raters(b"key").pseudonym("?")


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    before = os.umask(0)
    try:
        first = load_secret(home)
    finally:
        os.umask(before)

    assert stat.S_IMODE((home / SECRET).stat().st_mode) == 0o600
    assert stat.S_IMODE((home / SECRET).parent.stat().st_mode) == 0o700
    assert len(first) == 32
    assert load_secret(home) == first
    assert [one.name for one in (home / SECRET).parent.iterdir()] == [SECRET.name]


def test_of_many_that_make_the_secret_at_once_all_get_the_same(tmp_path: Path) -> None:
    found: list[bytes] = []
    makers = [
        threading.Thread(target=lambda: found.append(load_secret(tmp_path))) for _ in range(16)
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()

    assert len(found) == 16
    assert len(set(found)) == 1


def salt_of_annotators(home: Path, salt: str = "ab" * 32) -> Path:
    path = home / OLD_SECRET
    path.parent.mkdir(parents=True)
    path.write_text(f"{salt}\n")
    path.chmod(0o600)
    return path


def test_the_salt_of_annotators_becomes_the_secret_and_their_pseudonyms_stay(
    tmp_path: Path,
) -> None:
    salt = salt_of_annotators(tmp_path)

    # As it always was: blake2b of the name, keyed by the salt.
    assert load_pseudonyms(tmp_path)("ann") == "a-e75f7a39a552"
    assert load_secret(tmp_path).hex() == "ab" * 32
    assert not salt.exists()
    assert load_pseudonyms(tmp_path)("ann") == "a-e75f7a39a552"


def test_an_audit_uses_the_salt_too_but_moves_nothing(tmp_path: Path) -> None:
    salt = salt_of_annotators(tmp_path)

    found = known_raters(tmp_path).pseudonym("W1")

    assert salt.exists()
    assert not (tmp_path / SECRET).exists()
    assert found == Raters(load_secret(tmp_path)).pseudonym("W1")


def test_a_salt_that_differs_from_the_secret_is_an_error_and_both_stay(tmp_path: Path) -> None:
    load_secret(tmp_path)
    salt = salt_of_annotators(tmp_path)

    with pytest.raises(PipelineError, match=r"two secrets\n.*move it over the first; else delete"):
        load_secret(tmp_path)

    assert salt.exists()
    assert (tmp_path / SECRET).exists()


def test_a_rater_and_an_annotator_of_one_name_have_nothing_in_common(tmp_path: Path) -> None:
    annotator = load_pseudonyms(tmp_path)("ann")

    assert annotator[2:] != Raters(load_secret(tmp_path)).pseudonym("ann")[2:]


def loosened(path: Path) -> None:
    path.chmod(0o644)


def emptied(path: Path) -> None:
    path.write_text("")


def spoiled(path: Path) -> None:
    path.write_text("pepper\n")


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (loosened, "others may read this secret\nchmod 600"),
        (emptied, "not a secret"),
        (spoiled, "not a secret"),
        (linked, "cannot be read"),
        (piped, "not a secret"),
    ],
)
@pytest.mark.parametrize("load", [load_secret, known_raters])
def test_what_is_no_secret_is_an_error_and_is_left(
    tmp_path: Path, damage: Callable[[Path], None], said: str, load: Callable[[Path], object]
) -> None:
    load_secret(tmp_path)
    damage(tmp_path / SECRET)

    with pytest.raises(PipelineError, match=said):
        load(tmp_path)

    assert os.path.lexists(tmp_path / SECRET)


def test_a_folder_that_cannot_hold_the_secret_is_said(tmp_path: Path) -> None:
    (tmp_path / SECRET.parent).write_text("a file")

    with pytest.raises(PipelineError, match="the secret of pseudonyms cannot be"):
        load_secret(tmp_path)
