"""Write a corpus in the format of a trainer: whole or not at all, split by split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.exports.formats import FORMATS, Format, Part, configs
from pipeline.exports.sinks import Sink
from pipeline.exports.tables import (
    SPLITS,
    CorpusTable,
    Kind,
    Splits,
    batches,
    corpus_tables,
    licences,
)
from pipeline.records import SplitName
from pipeline.sources.licences import may_be_published, most_restrictive
from pipeline.storage import AtomicFolder, file_sha256, write_json

MANIFEST = "export.json"


class MayNotPublishError(PipelineError):
    """Rows of the corpus may not be passed on."""

    exit_code = 1


@dataclass(frozen=True)
class Exported:
    """What an export holds."""

    corpus: str
    format: str
    licence: str
    may_be_published: bool
    parts: tuple[Part, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


MakeCard = Callable[[Exported, list[dict[str, Any]] | None], str]


def export_corpora(
    build: Path,
    corpora: Sequence[str],
    out: Path,
    *,
    format_name: str,
    kinds: Sequence[Kind] = (),
    publish: bool = False,
    card: MakeCard,
) -> list[Exported]:
    """Write `corpora` of the build in the folder `build` to `out`, which must not hold anything.

    One corpus is written to `out` itself, several to a folder each. No `kinds`: all that have rows.
    `card` gives the text of an export's card, with the `configs` of its YAML. With `publish`
    nothing is written if a row has a licence that forbids passing it on. Raises PipelineError with
    nothing written if any of it fails.
    """
    format_ = FORMATS.named(format_name, what="format")
    tables = {name: corpus_tables(build, name, kinds) for name in corpora}
    decided = {name: most_restrictive(licences(found)) for name, found in tables.items()}
    if publish:
        _refuse_unpublishable(decided)
    splits = Splits(build / "datasets" / "splits.parquet")
    exported = []
    with AtomicFolder(out) as folder:
        for name, found in tables.items():
            place = folder if len(tables) == 1 else folder / name
            parts = _write_corpus(found, splits, place, format_)
            licence = decided[name]
            one = Exported(name, format_name, licence, may_be_published(licence), tuple(parts))
            _describe(one, format_, place, card)
            exported.append(one)
    return exported


def _refuse_unpublishable(decided: Mapping[str, str]) -> None:
    refused = [f"{name} ({one})" for name, one in decided.items() if not may_be_published(one)]
    if refused:
        raise MayNotPublishError(
            f"not exported, since rows may not be published: {', '.join(refused)}\n"
            "Leave --publish out for an export that stays with you, or export a corpus whose "
            "sources all state a licence."
        )


def _write_corpus(
    tables: Sequence[CorpusTable], splits: Splits, folder: Path, format_: Format
) -> list[Part]:
    parts = []
    for table in tables:
        sinks: dict[SplitName, Sink] = {}
        for split, rows in batches(table, splits):
            if split not in sinks:
                sinks[split] = format_.open(folder, table.kind, split)
            sinks[split].write(rows)
        for split in (one for one in SPLITS if one in sinks):
            files = [str(path.relative_to(folder)) for path in sinks[split].close()]
            parts.append(Part(table.corpus, table.kind, split, sinks[split].rows, tuple(files)))
    return parts


def _describe(exported: Exported, format_: Format, folder: Path, card: MakeCard) -> None:
    """Write the card, what the format's trainer needs to know, and the manifest."""
    if format_.describe is not None:
        format_.describe(folder, exported.parts)
    about = card(exported, configs(exported.parts) if format_.configs else None)
    text = f"{about.rstrip()}\n\n{_about_files(exported, format_)}"
    (folder / "README.md").write_text(text, encoding="utf-8", newline="\n")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    hashes = {str(path.relative_to(folder)): file_sha256(path) for path in files}
    write_json(folder / MANIFEST, {**exported.as_dict(), "sha256": hashes})


def _about_files(exported: Exported, format_: Format) -> str:
    rows = "\n".join(
        f"| `{part.config}` | {part.split} | {part.rows:,} | `{'`, `'.join(part.files)}` |"
        for part in exported.parts
    )
    return (
        f"## The files of this export ({exported.format})\n\n{format_.loading}\n\n"
        "`distillery explain ID` prints where a row comes from, in the build that it was exported "
        f"from. Hashes of all files are in `{MANIFEST}`.\n\n"
        f"| config | split | rows | files |\n|---|---|---:|---|\n{rows}\n"
    )
