"""`distillery init`: map the columns of one's own corpus, dry run first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.layout import path_of

if TYPE_CHECKING:
    from pipeline.sources import TableColumns

EXCERPT_CHARS = 60
MAX_PATH_CHARS = 4096
Column = Annotated[str | None, typer.Option(metavar="COLUMN", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("init")(init)


def init(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSON Lines or Parquet file")],
    utterance: Column = None,
    situation: Column = None,
    dialogue_id: Column = None,
    emotion: Column = None,
    response: Column = None,
    rating: Column = None,
    reference: Annotated[
        str | None, typer.Option(metavar="RESPONDER", help="whose responses are the reference")
    ] = None,
    licence: Annotated[str, typer.Option(help="licence of the corpus")] = "none stated",
    write: Annotated[bool, typer.Option("--write", help="change params.yaml")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the mapping as JSON")] = False,
) -> None:
    """Map the columns of your own corpus; without --write nothing is changed."""
    from pipeline.cli.console import note, say, say_json
    from pipeline.errors import PipelineError
    from pipeline.names import as_written
    from pipeline.sources.base import unusable
    from pipeline.sources.licences import check_licence
    from pipeline.sources.mapping import guess_columns
    from pipeline.sources.rows import column_names

    if problem := unusable(str(file), MAX_PATH_CHARS):
        raise PipelineError(
            f"{as_written(str(file))}: cannot stand in params.yaml ({problem[1]})\nRename the file."
        )
    chosen = {
        role: column
        for role, column in (
            ("utterance", utterance),
            ("situation", situation),
            ("dialogue_id", dialogue_id),
            ("emotion", emotion),
            ("response", response),
            ("rating", rating),
        )
        if column
    }
    columns = guess_columns(column_names(file), chosen=chosen, licence=check_licence(licence))
    sections = _sections(file, columns, reference)
    trial = _trial(file, columns)
    if as_json:
        say_json({**sections, "trial": trial, "written": write})
    else:
        _show(sections, trial)
    if write:
        _write(sections)
        note("params.yaml: written. Drop what was built before, then build: make clean; dvc repro")
        for path in sorted(path_of("rounds").glob("*.jsonl")):
            note(f"{path}: labels of the corpus before this one? Then remove it first.")
    elif not as_json:
        say("\nNothing was changed. The same command with --write puts this into params.yaml.")


def _sections(file: Path, columns: TableColumns, reference: str | None) -> dict[str, Any]:
    from pipeline.config import as_local
    from pipeline.errors import PipelineError
    from pipeline.workspace import corpora_section, student_sections

    names = list(columns.responses)
    chosen = _called(reference, names) if reference is not None else None
    if reference is not None and chosen is None:
        raise PipelineError(f"--reference {reference}: not among {', '.join(names)}")
    chosen = chosen or _called("reference", names) or _called("human", names) or names[0]
    teachers = {name: name for name in names if name != chosen}
    rated = all(one.rating for one in columns.responses.values())
    corpora = corpora_section(teachers if rated else {})
    return {
        "ingest": {
            "source": "table",
            "path": as_local(file),
            "columns": columns.model_dump(exclude_none=True),
        },
        "responders": {
            "reference_responder": chosen,
            "teacher_responders": list(teachers.values()),
        },
        "corpora": corpora,
        **student_sections(corpora),
    }


def _called(label: str, names: Sequence[str]) -> str | None:
    """Return the one of `names` that is `label`, else the first that differs in case alone."""
    near = [name for name in names if name.lower() == label.lower()]
    return label if label in names else next(iter(near), None)


def _trial(file: Path, columns: TableColumns) -> dict[str, Any]:
    """Read the whole file as the pipeline would, and count; errors name file and row."""
    from pipeline.progress import track
    from pipeline.sources import ReadOptions, get_source
    from pipeline.sources.base import Sourced

    options = ReadOptions(max_chars=20_000, columns=columns)
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for item in track(get_source("table").read(file, options), f"reading {file.name}"):
        if isinstance(item, Sourced):
            counts["exchanges"] += 1
            counts["responses"] += len(item.responses)
            counts["rated"] += sum(one.rating is not None for one in item.responses)
            if not first:
                first = {"utterance": item.exchange.utterance}
                first |= {one.responder: one.text for one in item.responses}
        else:
            counts[f"rejected: {item.reason}"] += 1
    return {"counts": dict(counts), "first": first}


def _show(sections: dict[str, Any], trial: dict[str, Any]) -> None:
    from pipeline.cli.console import say
    from pipeline.pages import printable
    from pipeline.yaml_files import format_yaml

    say("# what params.yaml would hold")
    say(printable(format_yaml(sections)).rstrip())
    say("\n# what is read with it")
    for name, count in trial["counts"].items():
        say(f"{name}: {count:,}")
    for name, text in trial["first"].items():
        flat = " ".join(printable(text).split())
        excerpt = flat if len(flat) <= EXCERPT_CHARS else f"{flat[:EXCERPT_CHARS]}…"
        say(f"first {' '.join(printable(name).split())}: {excerpt}")


def _write(sections: dict[str, Any]) -> None:
    from pipeline.params import DEFAULT_PATH, edit_params, load_params

    load_params()  # what is broken already is said before it is changed
    with edit_params(DEFAULT_PATH) as params:
        params["ingest"] |= sections["ingest"]
        params["responders"] |= sections["responders"]
        for name in ("corpora", "students", "models"):
            params[name] = sections[name]
        params["distillations"] = {}  # no corpus is left of them, and they ask the teacher
        params["split"]["rule"] = "grouped_random"
