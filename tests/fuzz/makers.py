"""Whole files, which are then spoiled. Each maker writes folders below the one it is given."""

from __future__ import annotations

import csv
import datetime
import decimal
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.reward_model.texts import Text, TextPair
from tests.examples import LATE_TRAIN, LOST_JOB
from tests.sources.raw import STUDY_2023, study_row, table_row

ROOT = Path(__file__).parents[2]
KINDS = ("csv", "tsv", "jsonl", "json", "parquet", "arrow")
Row = Mapping[str, Any]


class FixedEmbedder:
    """The same two numbers for each text."""

    name = "fixed"

    def embed(self, texts: Sequence[str]) -> Any:
        return np.ones((len(texts), 2))


class LengthEncoder:
    """Three numbers about each text."""

    name, style = "length", 0

    def encode(self, texts: Sequence[Text]) -> Any:
        return np.array([[len(one.response), one.response.count("e"), 1.0] for one in texts])


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as the kind of file that the ending of `path` says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = path.suffix
    if kind in (".csv", ".tsv"):
        stream = StringIO()
        writer = csv.DictWriter(stream, list(rows[0]), delimiter="," if kind == ".csv" else "\t")
        writer.writeheader()
        writer.writerows(rows)
        path.write_text(stream.getvalue(), encoding="utf-8")
    elif kind == ".jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    elif kind == ".json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    elif kind == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows)), path)
    else:
        table = pa.Table.from_pylist(list(rows))
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)


def table_as(kind: str) -> Callable[[Path], None]:
    """Return a maker of tables to audit: flat ones, chats, pairs and columns of any type."""

    def make(folder: Path) -> None:
        flat = [{**table_row(number), "codes": "['Support']"} for number in range(8)]
        write_rows(folder / "flat" / f"t.{kind}", flat)
        if kind in ("csv", "tsv"):
            return
        turns = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Tell me."}]
        chats = [{"id": f"{number}", "messages": turns} for number in range(6)]
        pairs = [{"prompt": "I fell.", "chosen": turns, "rejected": turns[:1]} for _ in range(6)]
        write_rows(folder / "chats" / f"t.{kind}", chats)
        write_rows(folder / "pairs" / f"t.{kind}", pairs)
        if kind == "parquet":
            odd_types(folder / "odd")

    return make


def odd_types(folder: Path) -> None:
    """Write columns of the less usual types, in two row groups and an empty one."""
    folder.mkdir()
    columns: dict[str, Any] = {
        "text": pa.array(["I hear you, friend."] * 6).dictionary_encode(),
        "when": pa.array([datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)] * 6),
        "price": pa.array([decimal.Decimal("1.20")] * 6),
        "marks": pa.array([[("a", 1)]] * 6, pa.map_(pa.string(), pa.int64())),
        "parts": pa.array([{"a": [1, 2], "b": None}] * 6),
        "raw": pa.array([b"\xff\x00"] * 6),
        "name.with.dots": pa.array([1.5, None] * 3),
        "day": pa.array([datetime.date(2020, 1, 1)] * 6),
        "note": pa.array(["{}"] * 6, pa.json_()),
    }
    table = pa.table(columns)
    with pq.ParquetWriter(folder / "t.parquet", table.schema) as writer:
        writer.write_table(table.slice(0, 3))
        writer.write_table(table.slice(0, 0))
        writer.write_table(table.slice(3))


def own_table_as(kind: str) -> Callable[[Path], None]:
    """Return a maker of a person's own corpus."""
    return _one([table_row(number) for number in range(6)], kind)


def labels_as(kind: str) -> Callable[[Path], None]:
    """Return a maker of labels as another tool would write them."""
    return _one([_label(number) for number in range(6)], kind)


def long_table_as(kind: str) -> Callable[[Path], None]:
    """Return a maker of one answer a row."""
    rows = [
        {"item": f"i{item}", "annotator": who, "question": "empathy", "value": 1 + item % 3}
        for item in range(4)
        for who in "ab"
    ]
    return _one(rows, kind)


def _one(rows: Sequence[Row], kind: str, name: str = "t") -> Callable[[Path], None]:
    return lambda folder: write_rows(folder / "one" / f"{name}.{kind}", rows)


def _label(number: int) -> dict[str, Any]:
    return {
        "item_id": f"response-{number % 3}",
        "annotator": f"annotator {number}",
        "question": "empathy",
        "value": 1 + number % 3,
    }


def rounds(folder: Path) -> None:
    """Write a round: ratings, sets of codes and a discarded record."""
    rest = {"status": "submitted", "guidelines": "1", "origin": "test"}
    given = [
        {**_label(number), **rest, "answered_at": "2024-05-01T10:00:00+00:00"}
        for number in range(6)
    ]
    coded = [
        {**row, "question": "codes", "sentence": 0, "value": ["Support"], "suggestion": "Other"}
        for row in given
    ]
    ruled = [{**given[0], "role": "adjudicator"}]
    write_rows(folder / "one" / "1.jsonl", [*given, *coded, *ruled])


def study_2023(folder: Path) -> None:
    """Write the rated study whose rows have codes."""
    rows = [study_row(number, responders=STUDY_2023) for number in range(4)]
    for kind in ("csv", "jsonl"):
        write_rows(folder / kind / f"t.{kind}", rows)


def sample(folder: Path) -> None:
    """Copy some lines of the embedded sample."""
    lines = (ROOT / "datasets" / "sample" / "exchanges.jsonl").read_bytes().splitlines()[:4]
    _put(folder / "one" / "exchanges.jsonl", b"\n".join(lines))


def upstream(folder: Path) -> None:
    """Write the release as CSV and as an archive."""
    import tarfile

    from tests.sources.test_empathetic_dialogues import QUILT_TABLE, UPSTREAM

    _put(folder / "csv" / "train.csv", UPSTREAM.encode())
    write_rows(folder / "rows" / "t.csv", QUILT_TABLE)
    (folder / "tar").mkdir()
    with tarfile.open(folder / "tar" / "ed.tar.gz", "w:gz") as archive:
        archive.add(folder / "csv" / "train.csv", "empatheticdialogues/train.csv")


def pandalm(folder: Path) -> None:
    """Write pairs that three people compared."""
    votes = {"annotator1": 1, "annotator2": 1, "annotator3": 2}
    row = {"instruction": "Say it.", "input": "", "response1": "It.", "response2": "No.", **votes}
    _put(folder / "one" / "t.json", json.dumps([row, {**row, "input": "b"}]).encode())


def hh_rlhf(folder: Path) -> None:
    """Write pairs of transcripts."""
    asked = "\n\nHuman: I fell.\n\nAssistant: "
    rows = [{"chosen": f"{asked}Oh no.", "rejected": f"{asked}So?"}] * 2
    write_rows(folder / "one" / "t.jsonl", rows)


def esconv(folder: Path) -> None:
    """Write a dialogue whose turns have strategies, in both shapes that are published."""
    turns = [{"annotation": {"strategy": "Question"}, "content": "How?"}, {"annotation": {}}]
    _put(folder / "json" / "t.json", json.dumps([{"dialog": turns}]).encode())
    _put(folder / "text" / "t.txt", b"Hi. EOS [Question] How are you?\nHi.\n")


def annomi(folder: Path) -> None:
    """Write utterances with behaviours."""
    row = {"transcript_id": 1, "interlocutor": "therapist", "main_therapist_behaviour": "question"}
    for kind in ("reflection", "question", "therapist_input"):
        row |= {f"{kind}_exists": str(kind == "question"), f"{kind}_subtype": "open"}
    rows = [{**row, "utterance_id": number} for number in range(3)]
    write_rows(folder / "one" / "t.csv", rows)


def records(folder: Path) -> None:
    """Write a table of the build."""
    from pipeline.records import Exchange
    from pipeline.storage import write_table

    write_table(folder / "one" / "t.parquet", Exchange, [LOST_JOB, LATE_TRAIN])


def features(folder: Path) -> None:
    """Write a table of features."""
    from pipeline.features.table import FeatureTable, write_features

    table = FeatureTable(("a", "b"), ("text_x", "text_y"), np.array([[1.0, np.nan], [2.0, 3.0]]))
    write_features(folder / "one" / "t.parquet", table)


def scorer(folder: Path) -> None:
    """Write scorers of all kinds: trees, support vectors, networks, linear ones."""
    from pipeline.scoring.saved import describe, save
    from pipeline.scoring.scorer import Scorer
    from tests.scoring.test_scorer import RATINGS, TABLE, rated

    table, labels = TABLE.rows(TABLE.ids[:40]), rated(RATINGS).take(range(40))
    for name in ("LR", "SVC", "DT", "MLP", "boosting", "ordinal", "ridge-ordinal", "majority"):
        fitted = Scorer(name, seed=0).fit(table, labels)
        facts = describe(fitted, TABLE, features="text", embedder="fixed", licence="CC0-1.0")
        save(folder / name, fitted, facts, None)


def scorer_unpacked(folder: Path) -> None:
    """Write scorers whose archive is unpacked, so that its schema can be spoiled by itself."""
    scorer(folder)
    for one in list(folder.iterdir()):
        with ZipFile(one / "scorer.skops") as archive:
            archive.extractall(one / "parts")
        (one / "scorer.skops").unlink()
        (one / "parts" / "schema.json").rename(one / "schema.json")


def repacked(read: Callable[[Path], None]) -> Callable[[Path], None]:
    """Return `read` with the archive packed again before it."""

    def pack_and_read(folder: Path) -> None:
        with ZipFile(folder / "scorer.skops", "w") as archive:
            for part in sorted((folder / "parts").iterdir()):
                archive.write(part, part.name)
            archive.write(folder / "schema.json", "schema.json")
        read(folder)

    return pack_and_read


def reward(folder: Path) -> None:
    """Write reward models with each head."""
    from pipeline.reward_model.heads import HEADS
    from pipeline.reward_model.model import RewardModel

    pairs = [
        TextPair(
            Text("I fell.", f"Oh no, that is {number} times.", f"a{number}"),
            Text("I fell.", "So?" * (1 + number % 3), f"b{number}"),
            f"d{number}",
        )
        for number in range(16)
    ]
    for name in HEADS:
        RewardModel(LengthEncoder(), name, tuned=False).fit(pairs).save(folder / name)


def adapter(folder: Path) -> None:
    """Write what a base model and an adapter say about themselves; their weights are not read."""
    base = {"name": "b", "licence": "MIT", "sha256": "00", "parameters": 1, "layers": 1}
    facts = {"base": "b", "base_sha256": "00", "parents": [], "sha256": "11", "licence": "MIT"}
    _put(folder / "one" / "base" / "base_model.json", json.dumps(base).encode())
    _put(folder / "one" / "base" / "model.safetensors", b"weights")
    facts |= {"rows": 1, "data": "22"}  # type: ignore[dict-item]
    _put(folder / "one" / "adapter" / "adapter.json", json.dumps(facts).encode())
    _put(folder / "one" / "adapter" / "adapter_model.safetensors", b"weights")


def params(folder: Path) -> None:
    """Copy params.yaml."""
    _put(folder / "one" / "params.yaml", (ROOT / "params.yaml").read_bytes())


def ledger_export(folder: Path) -> None:
    """Write the export of a ledger; each key is the hash of its request."""
    rows = []
    for number in range(3):
        messages = [{"role": "user", "content": f"I fell {number} times."}]
        request = json.dumps({"max_tokens": 9, "messages": messages, "model": "m"})
        reply = {"choices": [{"message": {"content": "Oh no."}}], "model": "m"}
        rows.append(
            {
                "key": hashlib.sha256(b"0\n" + request.encode()).hexdigest(),
                "role": "teacher",
                "stage": "distil",
                "model": "m",
                "sample": 0,
                "request": request,
                "answer": json.dumps(reply),
                "tokens_in": 3,
                "tokens_out": 2,
                "usd": 0.0,
                "latency_s": 0.1,
                "answered_at": 1_700_000_000.0,
            }
        )
    write_rows(folder / "one" / "answers.jsonl", rows)


def ledger(folder: Path) -> None:
    """Write a ledger with answers, the whole of it in one file."""
    import sqlite3

    from pipeline.llm.ledger_transfer import import_answers

    ledger_export(folder)
    path = folder / "one" / "ledger.sqlite"
    import_answers(path, folder / "one" / "answers.jsonl")
    (folder / "one" / "answers.jsonl").unlink()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode=DELETE")
    db.close()
    for rest in ("ledger.sqlite-wal", "ledger.sqlite-shm"):
        (folder / "one" / rest).unlink(missing_ok=True)


def revision(folder: Path) -> None:
    """Write what a revision is read from: dvc.lock, params.yaml and the figures of the audit."""
    stage = {
        "cmd": "python -m pipeline build_sft a",
        "deps": [{"path": "pipeline/corpora", "md5": "00.dir", "size": 1, "nfiles": 2}],
        "params": {"params.yaml": {"corpora": {"a": {"method": "direct"}}, "seed": 1}},
        "outs": [{"path": "datasets/sft/a.parquet", "md5": "11", "size": 1}],
    }
    lock = {"schema": "2.0", "stages": {"build_sft@a": stage}}
    _put(folder / "one" / "dvc.lock", json.dumps(lock, indent=1).encode())
    _put(folder / "one" / "params.yaml", b"seed: 1\nexpect:\n  tolerances: {words: 0.1}\n")
    _put(folder / "one" / "audit.json", b'{"a": {"critical": 1}}')


def accepted(folder: Path) -> None:
    """Write accepted figures."""
    profile = {"rows": 3, "words": {"p50": 3}, "shares": {"emotion": {"sad": 0.5}}}
    _put(
        folder / "one" / "t.json",
        json.dumps({"source": "sample", "tables": {"t": profile}}).encode(),
    )


def verdicts(folder: Path) -> None:
    """Write what validation and audit say about a corpus."""
    failed = {"claim": "ids are unique", "severity": "info", "is_drift": False}
    table = {"failed": [failed], "profile": {"rows": 3}}
    figures = {"failed_detectors": [], "critical": 1, "waived": 1}
    for name, value in (
        ("expectations", {"source": "sample", "tables": {"t": table}}),
        ("validation", {"passed": True}),
        ("audit", {"t": figures}),
    ):
        _put(folder / "one" / f"{name}.json", json.dumps(value).encode())


def audited(folder: Path) -> None:
    """Write what `compare` reads of an audit."""
    from pipeline.audit.finding import Finding, Severity
    from pipeline.storage import write_table

    finding = Finding(detector="d", severity=Severity.INFO, explanation="a", action="b")
    write_table(folder / "one" / "findings.parquet", Finding, [finding])
    summary = {"rows": 3, "columns": {}, "detectors": {"d": {"status": "ok"}}}
    _put(folder / "one" / "summary.json", json.dumps(summary).encode())


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
