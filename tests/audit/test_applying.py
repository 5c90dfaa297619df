import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.audit.applying import Rule, apply_findings
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import AuditResult, DetectorRun
from pipeline.audit.run import write_result
from pipeline.errors import PipelineError, TableError
from pipeline.records import Rejection
from pipeline.storage import read_table

ROWS = [
    {"id": "a", "text": "=SUM(1;2) “fine”, é"},
    {"id": "b", "text": "As a language model I cannot."},
    {"id": "c", "text": "I want to die\nand nobody knows."},
    {"id": "d", "text": "I cannot help you."},
]
DETECTORS = ("refusals", "crisis", "near_duplicates")


def found(detector: str, row: str, severity: Severity = Severity.WARNING) -> Finding:
    return Finding(
        detector=detector,
        severity=severity,
        row_ids=(row, "a"),
        explanation=f"{detector} in it.",
        action="drop",
    )


FINDINGS = [
    found("refusals", "b", Severity.CRITICAL),
    found("refusals", "d"),
    found("crisis", "c", Severity.CRITICAL),
    found("near_duplicates", "b"),
]


def audit(folder: Path, rows: int = len(ROWS), id_column: str = "id") -> Path:
    result = AuditResult(
        name="made",
        rows=rows,
        texts=rows,
        columns={"id": id_column, "text": "text"},
        columns_guessed=True,
        notes=[],
        runs=[DetectorRun(name, "any", "ok") for name in DETECTORS],
        findings=FINDINGS,
    )
    write_result(result, folder / "audit")
    return folder / "audit"


def write(path: Path) -> Path:
    if path.suffix == ".csv":
        cells = [f'{row["id"]},"{row["text"]}"' for row in ROWS]
        path.write_text("\n".join(["id,text", *cells]) + "\n", encoding="utf-8")
    elif path.suffix == ".jsonl":
        lines = [json.dumps(row, ensure_ascii=False, indent=None) for row in ROWS]
        path.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps({"version": "1.0", "data": ROWS}), encoding="utf-8")
    elif path.suffix == ".arrow":
        table = pa.Table.from_pylist(ROWS)
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as target:
            target.write_table(table, max_chunksize=3)
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


def rows(path: Path) -> list[dict[str, str]]:
    from pipeline.audit.reading import read_raw

    columns = read_raw(path).columns
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".json", ".arrow", ".parquet"])
def test_the_copy_lacks_the_dropped_rows_and_is_else_the_same(tmp_path: Path, kind: str) -> None:
    file = write(tmp_path / f"data{kind}")
    before = file.read_bytes()

    done = apply_findings(file, audit(tmp_path), tmp_path / "out", drop=[Rule.parse("refusals")])

    assert rows(done.copy) == [ROWS[0], ROWS[2]]
    assert (done.kept, done.dropped) == (2, 2)
    assert file.read_bytes() == before


def test_what_stands_around_the_rows_of_a_json_document_stays(tmp_path: Path) -> None:
    file = write(tmp_path / "data.json")

    done = apply_findings(file, audit(tmp_path), tmp_path / "out", drop=[Rule.parse("refusals")])

    assert json.loads(done.copy.read_text(encoding="utf-8")) == {
        "version": "1.0",
        "data": [ROWS[0], ROWS[2]],
    }


def test_the_copy_of_a_hugging_face_folder_loads_without_the_dropped_rows(tmp_path: Path) -> None:
    from datasets import Dataset, DatasetDict, load_from_disk

    splits = {"train": Dataset.from_list(ROWS[2:]), "test": Dataset.from_list(ROWS[:2])}
    DatasetDict(splits).save_to_disk(tmp_path / "data")

    done = apply_findings(
        tmp_path / "data", audit(tmp_path), tmp_path / "out", drop=[Rule.parse("refusals")]
    )

    left = load_from_disk(done.copy)
    assert {name: split["id"][:] for name, split in left.items()} == {"train": ["c"], "test": ["a"]}


@pytest.mark.parametrize("name", ["train.jsonl", "README.md", "more"])
@pytest.mark.parametrize("is_there", [True, False])
def test_what_links_lead_to_outside_of_a_folder_is_not_in_the_copy(
    tmp_path: Path, name: str, is_there: bool
) -> None:
    data, secret = tmp_path / "data", tmp_path / "secret"
    data.mkdir()
    write(data / "test.jsonl")
    if is_there and name == "more":
        secret.mkdir()
    elif is_there:
        write(tmp_path / "made.jsonl").rename(secret)
    (data / name).symlink_to(Path("..") / "secret")

    with pytest.raises(TableError, match=rf"{name} is a link that leads out.*\n.*cp -rL"):
        apply_findings(data, audit(tmp_path), tmp_path / "out", drop=[Rule.parse("refusals")])

    assert not (tmp_path / "out").exists()


def test_a_link_within_a_folder_is_a_file_of_the_copy(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write(data / "train.jsonl")
    (data / "about.md").write_text("what it is")
    (data / "README.md").symlink_to("about.md")

    done = apply_findings(data, audit(tmp_path), tmp_path / "out", drop=[Rule.parse("refusals")])

    copied = done.copy / "README.md"
    assert (copied.is_symlink(), copied.read_text()) == (False, "what it is")


def test_no_copy_of_a_folder_is_made_within_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write(data / "train.jsonl")

    with pytest.raises(PipelineError, match="within the folder that is read"):
        apply_findings(data, audit(tmp_path), data / "out", drop=[Rule.parse("refusals")])

    assert [one.name for one in data.iterdir()] == ["train.jsonl"]


@pytest.mark.parametrize("kind", [".json", ".jsonl"])
def test_half_a_character_stays_the_escape_that_it_was(tmp_path: Path, kind: str) -> None:
    broken = [{**row, "text": row["text"] + " \ud83d", "k\udce9": "\udc00é"} for row in ROWS]
    file = tmp_path / f"data{kind}"
    lines = [json.dumps(row) for row in broken]
    file.write_text("\n".join(lines) if kind == ".jsonl" else f"[{','.join(lines)}]")

    done = apply_findings(file, audit(tmp_path), tmp_path / "out", drop=[Rule.parse("refusals")])

    text = done.copy.read_text(encoding="utf-8")
    copied = [json.loads(line) for line in text.splitlines()]
    assert (copied if kind == ".jsonl" else copied[0]) == [broken[0], broken[2]]


def test_lines_that_stay_are_copied_byte_for_byte(tmp_path: Path) -> None:
    file = write(tmp_path / "data.jsonl")

    done = apply_findings(file, audit(tmp_path), tmp_path / "out", drop=[Rule.parse("refusals")])

    assert set(done.copy.read_bytes().splitlines()) <= set(file.read_bytes().splitlines())


def test_each_dropped_row_is_kept_as_a_rejection_with_its_reasons(tmp_path: Path) -> None:
    drop = [Rule.parse("refusals"), Rule.parse("near_duplicates")]

    done = apply_findings(write(tmp_path / "d.csv"), audit(tmp_path), tmp_path / "out", drop=drop)

    first, second = read_table(done.rejections, Rejection)
    assert (first.record_id, first.reason, first.parents) == ("b", "refusals", ("a",))
    assert first.detail == "refusals in it. Also: near_duplicates."
    assert second.record_id == "d"


@pytest.mark.parametrize(
    ("drop", "keep", "left"),
    [
        ("refusals:critical", None, "acd"),
        ("severity=warning", None, "ac"),
        ("severity=critical", None, "acd"),  # crisis is for people to decide on
        ("crisis", None, "abd"),
        ("row=c", None, "abd"),
        ("refusals", "near_duplicates", "abc"),
        ("refusals", "row=d", "acd"),
    ],
)
def test_rules_name_detectors_severities_and_rows_and_keep_wins(
    tmp_path: Path, drop: str, keep: str | None, left: str
) -> None:
    done = apply_findings(
        write(tmp_path / "d.csv"),
        audit(tmp_path),
        tmp_path / "out",
        drop=[Rule.parse(drop)],
        keep=[Rule.parse(keep)] if keep else [],
    )

    assert "".join(row["id"] for row in rows(done.copy)) == left


def test_the_file_itself_is_never_the_copy(tmp_path: Path) -> None:
    file = write(tmp_path / "d.csv")

    with pytest.raises(PipelineError, match="is the file itself"):
        apply_findings(file, audit(tmp_path), tmp_path, drop=[Rule.parse("refusals")])


@pytest.mark.parametrize(
    ("rows_then", "id_column", "problem"),
    [(5, "id", "has 4 rows"), (4, "key", "has no column key"), (4, "text", "has no row b")],
)
def test_the_audit_of_another_file_is_refused(
    tmp_path: Path, rows_then: int, id_column: str, problem: str
) -> None:
    file = write(tmp_path / "d.csv")

    with pytest.raises(TableError, match=problem):
        apply_findings(
            file,
            audit(tmp_path, rows_then, id_column),
            tmp_path / "out",
            drop=[Rule.parse("refusals")],
        )

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("refusals:grave", "no severity 'grave'"),
        ("severity=", "names nothing"),
        ("refusal", "no such detector"),
    ],
)
def test_a_rule_that_means_nothing_is_an_error(tmp_path: Path, rule: str, problem: str) -> None:
    with pytest.raises(PipelineError, match=problem):
        apply_findings(
            write(tmp_path / "d.csv"), audit(tmp_path), tmp_path / "out", drop=[Rule.parse(rule)]
        )
