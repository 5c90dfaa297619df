"""`distillery init`: map the columns of one's own corpus, dry run first."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipeline.sources import TableColumns

EXCERPT_CHARS = 60
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
    from pipeline.sources.licences import check_licence
    from pipeline.sources.mapping import guess_columns
    from pipeline.sources.rows import column_names

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
        for path in sorted(Path("annotations/rounds").glob("*.jsonl")):
            note(f"{path}: labels of the corpus before this one? Then remove it first.")
    elif not as_json:
        say("\nNothing was changed. The same command with --write puts this into params.yaml.")


def _sections(file: Path, columns: TableColumns, reference: str | None) -> dict[str, Any]:
    from pipeline.errors import PipelineError
    from pipeline.workspace import corpora_section, student_sections

    names = list(columns.responses)
    if reference is not None and reference not in names:
        raise PipelineError(f"--reference {reference}: not among {', '.join(names)}")
    known = [name for name in ("reference", "human") if name in names]
    chosen = reference or (known or names)[0]
    teachers = {name: name for name in names if name != chosen}
    rated = all(one.rating for one in columns.responses.values())
    corpora = corpora_section(teachers if rated else {})
    return {
        "ingest": {
            "source": "table",
            "path": str(file),
            "columns": columns.model_dump(exclude_none=True),
        },
        "responders": {
            "reference_responder": chosen,
            "teacher_responders": list(teachers.values()),
        },
        "corpora": corpora,
        **student_sections(corpora),
    }


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
    import yaml

    from pipeline.cli.console import say

    say("# what params.yaml would hold")
    say(yaml.safe_dump(sections, sort_keys=False, allow_unicode=True).rstrip())
    say("\n# what is read with it")
    for name, count in trial["counts"].items():
        say(f"{name}: {count:,}")
    for name, text in trial["first"].items():
        flat = " ".join(text.split())
        say(f"first {name}: {flat[:EXCERPT_CHARS]}{'…' if len(flat) > EXCERPT_CHARS else ''}")


def _write(sections: dict[str, Any]) -> None:
    from ruamel.yaml import YAML

    from pipeline.params import DEFAULT_PATH, load_params
    from pipeline.storage import AtomicFile

    load_params()  # a file that is broken already is not written over
    yaml = YAML()
    params = yaml.load(DEFAULT_PATH.read_text(encoding="utf-8"))
    params["ingest"] |= sections["ingest"]
    params["responders"] |= sections["responders"]
    for name in ("corpora", "students", "models"):
        params[name] = sections[name]
    params["distillations"] = {}  # no corpus is left that is made of them, and they ask the teacher
    params["split"]["rule"] = "grouped_random"
    with AtomicFile(DEFAULT_PATH) as part, part.open("w", encoding="utf-8") as stream:
        yaml.dump(params, stream)
    load_params()
