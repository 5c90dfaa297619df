"""`distillery migrate`: what an earlier version wrote, made what this one reads."""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from datetime import date
from typing import Annotated, Any

import typer

KINDS = ("distillations", "corpora", "models")
_TABLES = ("sft-", "preferences-strict-", "preferences-authors-")

_SCALARS = str | int | float | date | None

Renames = dict[str, dict[Any, str]]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("migrate")(migrate)


def migrate(
    write: Annotated[bool, typer.Option("--write", help="make the changes")] = False,
) -> None:
    """Bring over what an earlier version wrote; without --write only say what would change.

    What params.yaml calls by no slug is renamed wherever it is named; labels of responders are text
    and stay. The salt of annotators becomes the secret that raters' pseudonyms come from, too; the
    annotators' pseudonyms stay. A ledger needs nothing: it is brought over when it is next used.
    """
    from pipeline.cli.console import note, say
    from pipeline.names import as_written
    from pipeline.params import DEFAULT_PATH, edit_params, read_to_edit
    from pipeline.sources.pseudonyms import load_secret, old_salt, secret_file

    renames = rename(read_to_edit(DEFAULT_PATH))
    for kind, names in renames.items():
        for old, new in names.items():
            say(f"{kind}: {as_written(old)} -> {new}")
    salt = old_salt()
    if salt is not None:
        say(f"{salt} -> {secret_file()}")
    if salt is None and not any(renames.values()):
        say(f"{DEFAULT_PATH}: all names are slugs, nothing is to be changed")
    elif not write:
        say("\nNothing was changed. The same command with --write makes these changes.")
        return
    if salt is not None:
        load_secret()
    if any(renames.values()):
        with edit_params(DEFAULT_PATH) as params:
            rename(params)
        note(f"{DEFAULT_PATH}: written. Drop what was built of old names: make clean; dvc repro")


def rename(params: MutableMapping[str, Any]) -> Renames:
    """Give every name of `params` that is no slug its slug, in place; return old to new by kind."""
    from pipeline.errors import PipelineError
    from pipeline.names import TAKEN, slugs_of
    from pipeline.params import DEFAULT_PATH

    renames: Renames = {}
    for kind in KINDS:
        section = _mapping(params.get(kind))
        if getattr(section, "merge", None):
            raise PipelineError(
                f"{DEFAULT_PATH}: {kind}: names that come by a merge key (<<) cannot be renamed\n"
                "Write them out, then run the same command again."
            )
        labels = {key: _label(kind, key) for key in section}
        if len(set(labels.values())) < len(labels):
            raise PipelineError(
                f"{kind}: two names are the same text, one of them without quotes\n"
                "Give one of them another name, then run the same command again."
            )
        slugs = slugs_of(labels.values(), taken={TAKEN[kind]} if kind in TAKEN else ())
        renames[kind] = {key: slugs[one] for key, one in labels.items() if slugs[one] != key}
        for old, new in renames[kind].items():
            _rename_key(section, old, new)
    _rename_references(params, renames)
    return renames


def _rename_references(params: Mapping[str, Any], renames: Renames) -> None:
    from pipeline.names import SOURCE

    distillations, corpora = renames["distillations"], renames["corpora"]
    others = {old: new for old, new in distillations.items() if old != SOURCE}
    for kind, fields in (("corpora", ("responses", "initial")), ("distillations", ("parents",))):
        for one in map(_mapping, _mapping(params.get(kind)).values()):
            # Elsewhere `source` are the responses that the corpus came with.
            asked = kind == "corpora" and one.get("method") in ("human", "llm")
            for name in (name for name in fields if name in one):
                new = _new(one[name], distillations if asked else others)
                if new != one[name]:
                    one[name] = new
    students = params.get("students")
    if isinstance(students, list):
        students[:] = [_new(name, corpora) for name in students]
    for model in map(_mapping, _mapping(params.get("models")).values()):
        corpus, slash, step = str(model.get("student", "")).rpartition("/")
        if slash and corpus in corpora:
            model["student"] = f"{corpora[corpus]}/{step}"
    waivers = _mapping(params.get("audit")).get("waivers")
    for waiver in map(_mapping, waivers if isinstance(waivers, list) else ()):
        for start in _TABLES:
            corpus = str(waiver.get("table", "")).removeprefix(start)
            if waiver.get("table") == start + corpus and corpus in corpora:
                waiver["table"] = start + corpora[corpus]


def _rename_key(section: MutableMapping[Any, Any], old: object, new: str) -> None:
    """Put `new` in the place of `old`; what stands behind it keeps its order and its comments."""
    keys = list(section)
    comments: dict[Any, Any] = section.ca.items  # type: ignore[attr-defined]
    kept = {key: comments.pop(key) for key in keys[keys.index(old) :] if key in comments}
    for key in keys[keys.index(old) :]:
        section[new if key == old else key] = section.pop(key)
    comments.update({new if key == old else key: comment for key, comment in kept.items()})


def _mapping(value: object) -> Any:
    return value if isinstance(value, MutableMapping) else {}


def _label(kind: str, key: object) -> str:
    from pipeline.errors import PipelineError

    if not isinstance(key, _SCALARS):
        raise PipelineError(f"{kind}: a list or a map is no name\nGive it a name in quotes.")
    return json.dumps(key) if key is None or isinstance(key, bool) else str(key)


def _new(name: Any, renames: Mapping[Any, str]) -> Any:
    return renames.get(name, name) if isinstance(name, _SCALARS) else name
