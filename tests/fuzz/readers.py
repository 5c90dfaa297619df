"""Every reader of a file as a name, whole files for it, and a function of their folder.

What a reader is called and where it lives is said here alone.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import makers


@dataclass(frozen=True)
class Reader:
    """A reader; `make` writes one or more folders of whole files, `only` those are spoiled."""

    name: str
    make: Callable[[Path], None]
    read: Callable[[Path], None]
    only: tuple[str, ...] = ()

    def seeds(self, folder: Path) -> list[dict[str, bytes]]:
        """Return the whole files, a folder each: name to bytes."""
        folder.mkdir(parents=True)
        self.make(folder)
        return [
            {
                str(path.relative_to(one)): path.read_bytes()
                for path in sorted(one.rglob("*"))
                if path.is_file()
            }
            for one in sorted(folder.iterdir())
        ]

    def spoiled(self, names: list[str]) -> list[str]:
        """Return the files that are to be spoiled."""
        return [name for name in names if not self.only or name in self.only] or names


def _file(folder: Path) -> Path:
    return next(path for path in sorted(folder.iterdir()) if path.is_file())


def _all(rows: Iterable[object]) -> None:
    for _ in rows:
        pass


def _audit(folder: Path) -> None:
    from pipeline.audit.building import read_table

    read_table(_file(folder))


def _copy(folder: Path) -> None:
    from pipeline.audit.copying import copy_rows

    with tempfile.TemporaryDirectory() as scratch:
        path = _file(folder)
        copy_rows(path, Path(scratch) / path.name, {0, 2})


def _own_table(folder: Path) -> None:
    from pipeline.sources import ReadOptions, get_source
    from pipeline.sources.base import ResponderColumns, TableColumns

    human = ResponderColumns(text="response_human", rating="rating_human", rater="annotator_human")
    columns = TableColumns(
        utterance="utterance",
        dialogue_id="id",
        responses={"human": human, "bot": ResponderColumns(text="response_bot")},
    )
    _all(get_source("table").read(_file(folder), ReadOptions(max_chars=20_000, columns=columns)))


def _source(name: str) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        from pipeline.sources import ReadOptions, get_source

        _all(get_source(name).read(_file(folder), ReadOptions(max_chars=20_000)))

    return read


def _mapping(folder: Path) -> None:
    from pipeline.sources.mapping import guess_columns
    from pipeline.sources.rows import column_names

    guess_columns(column_names(_file(folder)), chosen={}, licence="none stated")


def _pairs(name: str) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        from studies.reward.preference_sets import read_preference_set

        _all(read_preference_set(name, _file(folder)))

    return read


def _imported(name: str) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        from pipeline.annotation.imports import read_corpus

        read_corpus(name, _file(folder))

    return read


def _records(folder: Path) -> None:
    from pipeline.records import Exchange
    from pipeline.storage import read_table

    _all(read_table(_file(folder), Exchange))


def _features(folder: Path) -> None:
    from pipeline.features.table import read_features

    read_features(_file(folder))


def _round(folder: Path) -> None:
    from pipeline.annotation.agreement import agreement_report
    from pipeline.annotation.long_table import report_options, rounds_answers
    from pipeline.annotation.rounds import disagreements, read_round, resolve

    annotations = read_round(_file(folder))
    list(resolve(annotations, 1))
    disagreements(annotations)
    answers = rounds_answers(folder)
    if answers:
        agreement_report(answers, report_options((), ours=True, resamples=20))


def _labels(folder: Path) -> None:
    from pipeline.annotation.pseudonyms import Pseudonyms
    from pipeline.annotation.rounds import write_round
    from pipeline.annotation.transfer import read_labels

    found = list(read_labels(_file(folder), Pseudonyms(b"tests"), guidelines="1"))
    with tempfile.TemporaryDirectory() as scratch:
        write_round(Path(scratch) / "1.jsonl", found)


def _long_table(folder: Path) -> None:
    from pipeline.annotation.long_table import LongColumns, read_long_table

    read_long_table(_file(folder), LongColumns())


def _scorer(folder: Path) -> None:
    from pipeline.scoring.saved import load

    load(folder, makers.FixedEmbedder())


def _reward(folder: Path) -> None:
    from pipeline.reward_model.model import RewardModel
    from pipeline.reward_model.texts import Text

    model = RewardModel.load(folder, makers.LengthEncoder())
    model.reward([Text("my exam", "i hear you", "a")])


def _adapter(folder: Path) -> None:
    from pipeline.student.adapters import check_chain

    check_chain(folder / "base", [folder / "adapter"])


def _params(folder: Path) -> None:
    from pipeline.params import load_params

    load_params(folder / "params.yaml")


def _ledger(folder: Path) -> None:
    from pipeline.llm.ledger_transfer import export_answers, ledger_stats

    path = folder / "ledger.sqlite"
    ledger_stats(path)
    export_answers(path, folder / "export.jsonl")
    export_answers(path, folder / "saved.jsonl", salvage=True)


def _ledger_import(folder: Path) -> None:
    from pipeline.llm.ledger_transfer import import_answers

    import_answers(folder / "new.sqlite", folder / "answers.jsonl")


def _revision(folder: Path) -> None:
    from pipeline.reporting.revisions.causes import causes
    from pipeline.reporting.revisions.revision import NOW, Revision

    one = Revision(folder, NOW, None, "", folder)
    _all(causes(one, one))
    one.files("datasets/sft")
    _ = one.params
    one.document("audit.json")


def _accepted(folder: Path) -> None:
    from pipeline.stages.expect import read_accepted

    read_accepted(_file(folder), "sample")


def _verdicts(folder: Path) -> None:
    from pipeline.errors import GateFailedError
    from pipeline.student.gate import require_passed
    from pipeline.validation.accept import accept_build

    accept_build(folder / "expectations.json", folder / "out.json")
    with contextlib.suppress(GateFailedError):
        require_passed("c", "t", validation=folder / "validation.json", audit=folder / "audit.json")


def _compared(folder: Path) -> None:
    from pipeline.audit.comparing import compare

    compare(folder, folder)


def _readers() -> Iterator[Reader]:
    tables = {kind: makers.table_as(kind) for kind in makers.KINDS}
    for kind, make in tables.items():
        yield Reader(f"audit_{kind}", make, _audit)
        yield Reader(f"copy_{kind}", make, _copy)
    for kind in ("csv", "jsonl", "parquet"):
        yield Reader(f"source_table_{kind}", makers.own_table_as(kind), _own_table)
        yield Reader(f"labels_{kind}", makers.labels_as(kind), _labels)
        yield Reader(f"long_table_{kind}", makers.long_table_as(kind), _long_table)
    yield Reader("column_names", makers.own_table_as("csv"), _mapping)
    yield Reader("welivita2023", makers.study_2023, _source("welivita2023"))
    yield Reader("sample", makers.sample, _source("sample"))
    yield Reader("empathetic_dialogues", makers.upstream, _source("empathetic_dialogues"))
    yield Reader("preference_pairs", makers.pandalm, _pairs("pandalm"))
    yield Reader("preference_lines", makers.hh_rlhf, _pairs("hh_rlhf"))
    yield Reader("esconv", makers.esconv, _imported("esconv"))
    yield Reader("annomi", makers.annomi, _imported("annomi"))
    yield Reader("records", makers.records, _records)
    yield Reader("features", makers.features, _features)
    yield Reader("rounds", makers.rounds, _round)
    yield Reader("scorer_facts", makers.scorer, _scorer, ("scorer.json",))
    yield Reader("scorer_skops", makers.scorer, _scorer, ("scorer.skops",))
    yield Reader(
        "scorer_schema", makers.scorer_unpacked, makers.repacked(_scorer), ("schema.json",)
    )
    yield Reader("reward_facts", makers.reward, _reward, ("reward.json",))
    yield Reader("reward_numbers", makers.reward, _reward, ("reward.safetensors",))
    yield Reader("adapter", makers.adapter, _adapter)
    yield Reader("params", makers.params, _params, ("params.yaml",))
    yield Reader("ledger", makers.ledger, _ledger)
    yield Reader("ledger_import", makers.ledger_export, _ledger_import)
    yield Reader("revision", makers.revision, _revision)
    yield Reader("accepted", makers.accepted, _accepted)
    yield Reader("verdicts", makers.verdicts, _verdicts)
    yield Reader("compared_audits", makers.audited, _compared)


READERS = {reader.name: reader for reader in _readers()}
