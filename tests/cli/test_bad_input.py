"""Bad input: one clear error with file, row and what to do, exit 2, earlier outputs untouched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.builds import edit_params, write_csv
from tests.cli.command import Cli
from tests.sources.raw import study_row

INGEST = (
    "ingest",
    *("--exchanges", "out/exchanges.parquet", "--responses", "out/responses.parquet"),
    *("--rejections", "out/rejections.parquet", "--metrics", "out/ingest.json"),
)
SPLIT = (
    "split",
    *("--exchanges", "out/exchanges.parquet", "--responses", "out/responses.parquet"),
    *("--out", "out/splits.parquet", "--metrics", "out/splits.json"),
)
BUILD = (
    *("build_sft", "direct-listener_b", "--exchanges", "out/exchanges.parquet"),
    *("--responses", "out/responses.parquet", "--splits", "out/splits.parquet"),
    *("--out", "out/sft.parquet", "--rejections", "out/no-sft.parquet"),
)


def outputs(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project / "out").rglob("*")}


def read_from(project: Path, raw: Path, source: str = "welivita2024") -> None:
    edit_params(project / "params.yaml", ingest={"source": source, "path": str(raw)})


@pytest.fixture
def built(project: Path, cli: Cli) -> Path:
    """Return a project whose first stages were run on the sample."""
    for stage in (INGEST, SPLIT, BUILD):
        assert cli(*stage)[0] == 0
    return project


def is_refused(cli: Cli, built: Path, *command: str, said: str) -> str:
    """Run `command` and check what every refusal has in common; return the message."""
    before = outputs(built)

    code, out, err = cli(*command)

    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 4
    assert outputs(built) == before
    return err


def _rows(**changed: object) -> list[dict[str, object]]:
    return [study_row(1), study_row(2, **changed), study_row(3)]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rating_human": "4"}, "study.csv row 2: rating_human is '4'"),
        ({"rating_human": "good"}, "study.csv row 2: rating_human is 'good'"),
        ({"rating_human": ""}, "study.csv row 2: rating_human is ''"),
        ({"speaker_uttr": " "}, "study.csv row 2: speaker_uttr is empty"),
        ({"dialog_id": "hit:1_conv:1"}, "study.csv row 2: dialogue id hit:1_conv:1 is there a"),
    ],
)
def test_a_row_that_contradicts_itself(
    built: Path, cli: Cli, changed: dict[str, object], said: str
) -> None:
    read_from(built, write_csv(built / "study.csv", _rows(**changed)))

    is_refused(cli, built, *INGEST, said=said)


@pytest.mark.parametrize("renamed", ["Rating_human", "score"])
def test_a_missing_or_renamed_column(built: Path, cli: Cli, renamed: str) -> None:
    rows = _rows()
    for row in rows:
        row[renamed] = row.pop("rating_human")
    read_from(built, write_csv(built / "study.csv", rows))

    message = is_refused(cli, built, *INGEST, said="study.csv: no column rating_human")

    assert renamed in message


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-25])


def _latin(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"ocean", "océan".encode("latin-1")))


def _nothing(path: Path) -> None:
    path.write_bytes(b"")


def _remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_cut, "study.csv row 6: "),
        (_latin, "study.csv: line 7 is not UTF-8 text"),
        (_nothing, "study.csv: the file is empty"),
        (_remove, "study.csv: no such file"),
    ],
)
def test_a_damaged_file(built: Path, cli: Cli, damage: Callable[[Path], None], said: str) -> None:
    raw = write_csv(built / "study.csv", [study_row(number) for number in range(1, 7)])
    damage(raw)
    read_from(built, raw)

    is_refused(cli, built, *INGEST, said=said)


def test_a_half_written_parquet_file(built: Path, cli: Cli) -> None:
    raw = built / "study.parquet"
    pq.write_table(pa.Table.from_pylist(_rows()), raw)
    _cut(raw)
    read_from(built, raw)

    is_refused(cli, built, *INGEST, said="study.parquet: not a whole Parquet file")


@pytest.mark.parametrize(
    ("table", "command"),
    [("exchanges", SPLIT), ("responses", SPLIT), ("splits", BUILD), ("exchanges", BUILD)],
)
def test_a_half_written_table_between_stages(
    built: Path, cli: Cli, table: str, command: tuple[str, ...]
) -> None:
    _cut(built / "out" / f"{table}.parquet")

    is_refused(cli, built, *command, said=f"{table}.parquet: not a whole Parquet file")


def test_a_table_between_stages_that_is_not_there(built: Path, cli: Cli) -> None:
    (built / "out" / "splits.parquet").unlink()

    is_refused(cli, built, *BUILD, said="splits.parquet: no such file")


def test_a_split_of_another_build(built: Path, cli: Cli) -> None:
    read_from(built, write_csv(built / "study.csv", _rows()))
    assert cli(*INGEST)[0] == 0

    is_refused(cli, built, *BUILD, said="splits.parquet: does not belong to")


@pytest.mark.parametrize("command", [INGEST, SPLIT, BUILD])
def test_an_unknown_key_of_params_yaml(built: Path, cli: Cli, command: tuple[str, ...]) -> None:
    edit_params(built / "params.yaml", split={"test_shar": 0.2})

    is_refused(cli, built, *command, said="split.test_shar: Extra inputs are not permitted")


@pytest.mark.parametrize("command", [INGEST, SPLIT, BUILD, ("plan",), ("migrate", "--write")])
def test_a_params_yaml_of_twenty_thousand_brackets(
    built: Path, cli: Cli, command: tuple[str, ...]
) -> None:
    (built / "params.yaml").write_text("[" * 20_000, encoding="utf-8")

    is_refused(cli, built, *command, said="params.yaml: 1 problem(s)\n  not YAML: nested more than")


@pytest.mark.parametrize("command", [INGEST, SPLIT, BUILD, ("plan",)])
@pytest.mark.parametrize("name", ["x" * 300, "x/../../x", "$(touch pwned)"])
def test_a_name_in_params_yaml_that_no_path_takes(
    built: Path, cli: Cli, command: tuple[str, ...], name: str
) -> None:
    corpus = {"method": "direct", "teachers": ["listener_b"]}
    edit_params(built / "params.yaml", corpora={name: corpus})

    message = is_refused(cli, built, *command, said="cannot be a name in paths and commands")

    assert len(message) < 400


def test_a_corpus_that_is_not_in_params_yaml(built: Path, cli: Cli) -> None:
    is_refused(cli, built, "build_sft", "nobody", *BUILD[2:], said="corpora.nobody: not there")


def test_a_folder_without_params_yaml(built: Path, cli: Cli) -> None:
    (built / "params.yaml").unlink()

    is_refused(cli, built, *INGEST, said="params.yaml: no such file")


def test_unusable_rows_are_rejections_and_no_error(built: Path, cli: Cli) -> None:
    rows = [*_rows(situation="x" * 1_000_000), study_row(4, response_human="ring \x07 the bell")]
    read_from(built, write_csv(built / "study.csv", rows))

    assert cli(*INGEST)[0] == 0

    rejected = pq.read_table(built / "out" / "rejections.parquet").to_pylist()
    assert [one["reason"] for one in rejected] == ["too_long", "control_character"]
