"""A DVC workspace of its own for another corpus, so that the working tree stays as it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipeline.dvc_locks import mend_locks
from pipeline.errors import (
    GateFailedError,
    MissingFileError,
    ParamsError,
    PipelineError,
    TargetError,
)
from pipeline.layout import place
from pipeline.names import slug_of, slugs_of
from pipeline.params import edit_params
from pipeline.sources import Source
from pipeline.storage import AtomicFile, Claim, write_json
from pipeline.yaml_files import NotYamlError, parse_to_edit

PROJECT = Path(__file__).resolve().parents[1]
# The recording is of the sample: to another corpus it has no answer, and the stage says so.
# What the studies found is on the page to open first, whatever is built.
COPIED = (
    "dvc.yaml",
    ".dvcignore",
    "pipeline",
    place("sample_ratings"),
    place("studies"),
)
ACCEPTED = place("accepted")
ALL_TOGETHER = "direct-all_together"
MARKER = ".distillery-workspace"
STATUS_FILE = "DISTILLERY_STATUS_FILE"
DVC_CONFIG = "[core]\n    no_scm = True\n    analytics = false\n    check_update = false\n"
# A workspace of an earlier version, whose marker does not say what was copied.
OURS = ("__init__.py", "__main__.py", "params.py", "workspace.py")


def build_workspace(out: Path, *, source: Source, path: Path) -> None:
    """Lay the pipeline's code, dvc.yaml and fitting params in `out`.

    A folder that is there already must be such a workspace; its outputs are kept, so a second
    build does only what changed.
    """
    if not path.is_file():
        raise MissingFileError(path, hint=f"Give --path a local copy of {source.name}.")
    if not (PROJECT / "dvc.yaml").is_file():
        raise MissingFileError(
            PROJECT / "dvc.yaml",
            hint="Install from a clone of the project: pip install --editable .",
        )
    _require_workspace(out)
    out.mkdir(parents=True, exist_ok=True)
    if not (out / MARKER).exists():
        with AtomicFile(out / MARKER):
            pass
    _mirror_all(out)
    write_params(out / "params.yaml", source=source, path=path.resolve())
    if not (out / ACCEPTED).exists():
        write_json(out / ACCEPTED, {"source": None, "tables": {}})
    config = out / ".dvc" / "config"
    if not config.is_file() or "no_scm" not in config.read_text(encoding="utf-8"):
        # What `dvc init --no-scm` makes, at once: a kill leaves no folder that DVC cannot use.
        with AtomicFile(config) as part:
            part.write_text(DVC_CONFIG, encoding="utf-8")


@contextmanager
def claim_workspace(out: Path) -> Iterator[None]:
    """Let one process at a time work in `out`; raises TargetError if it is no workspace."""
    _require_workspace(out)
    target = out.resolve()  # by whatever link it is reached
    target.parent.mkdir(parents=True, exist_ok=True)
    with Claim(target):
        yield


def _require_workspace(out: Path) -> None:
    """Raise TargetError unless `out` is such a workspace, empty, or not there."""
    place = out.resolve()
    if out.exists() and not out.is_dir():
        raise TargetError(out, "a file, not a folder", hint="Choose another --out.")
    if any(place.is_relative_to(PROJECT / name) for name in COPIED):
        raise TargetError(out, "within the code or data of a build", hint="Choose another --out.")
    if (out / MARKER).is_file() or not out.exists():
        return
    # A build that was killed before its marker was in place left no more than this.
    if any(not path.name.startswith(f".{MARKER}.") for path in out.iterdir()):
        raise TargetError(
            out,
            "not empty, and not made by this command",
            hint="Give --out a new or empty folder.",
        )


def _mirror_all(out: Path) -> None:
    """Make the files of `COPIED` in `out` equal to the project's, with their times.

    So DVC sees no change where none is. What an earlier build copied and the project has no more is
    removed; what anybody else put beside it stays.
    """
    ours = [path.relative_to(PROJECT) for name in COPIED for path in _files(PROJECT / name)]
    copied = set(_copied(out))
    for name in ours:
        _mirror(PROJECT / name, out / name)
    for gone in copied - {str(name) for name in ours}:
        (out / gone).unlink(missing_ok=True)
    with AtomicFile(out / MARKER) as part:
        part.write_text(json.dumps(sorted(map(str, ours)), indent=1), encoding="utf-8")


def _files(path: Path) -> list[Path]:
    """Return `path`, or all files in it that are no leftovers of Python or of a kill."""
    if path.is_file():
        return [path]
    return [
        file
        for file in path.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".part"
    ]


def _copied(out: Path) -> list[str]:
    """Return what the marker of `out` names, within the folders that are copied."""
    text = (out / MARKER).read_text(encoding="utf-8")
    code = out / "pipeline"
    if not text.strip():
        found = _files(code) if all((code / name).is_file() for name in OURS) else []
        return [str(path.relative_to(out)) for path in found]
    try:
        names = TypeAdapter(list[str]).validate_json(text)
    except ValidationError:
        return []
    places = [PurePosixPath(name) for name in COPIED]
    inside = [PurePosixPath(name) for name in names if ".." not in PurePosixPath(name).parts]
    return [str(one) for one in inside if any(one.is_relative_to(place) for place in places)]


def _mirror(origin: Path, copy: Path) -> None:
    """Make the file `copy` equal to `origin`, with its times."""
    before, now = origin.stat(), copy.stat() if copy.is_file() else None
    if now and (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns):
        return
    with AtomicFile(copy) as part:
        shutil.copy2(origin, part)


def write_params(target: Path, *, source: Source, path: Path) -> None:
    """Write the project's params.yaml with the sections that depend on the source changed.

    Waivers name one source's findings, so those of an earlier `target` stay with it. Raises
    ParamsError where that is not readable.
    """
    ours = PROJECT / "params.yaml"
    waivers = _waivers(target if target.exists() else ours, source)
    with edit_params(target, origin=ours) as params:
        params["audit"]["waivers"] = waivers
        params["ingest"]["path"] = str(path)
        if params["ingest"]["source"] == source.name:
            return
        params["ingest"]["source"] = source.name
        params["ingest"].pop("columns", None)
        params["split"]["rule"] = source.split_rule
        params["responders"] = {
            "reference_responder": source.reference_responder,
            "teacher_responders": list(source.teachers.values()),
        }
        params["corpora"] = corpora_section(source.teachers)
        params.update(student_sections(params["corpora"]))
        params["distillations"] = {}  # they would ask the teacher; `add_distillations` does


def _waivers(written: Path, source: Source) -> list[Any]:
    """Return the waivers in `written`, a params.yaml, if it is about `source`."""
    try:
        params = parse_to_edit(written.read_bytes(), written)
        if params["ingest"]["source"] != source.name:
            return []
        return (params.get("audit") or {}).get("waivers") or []
    except (NotYamlError, KeyError, TypeError, AttributeError) as error:
        raise ParamsError(written, [f"not what was written there: {error}"]) from error


def add_distillations(target: Path) -> None:
    """Add to the params.yaml at `target` every strategy of methods 2 and 3, and its corpus."""
    from pipeline.strategies import STRATEGIES

    first = "llm-direct"
    asked = {first: {"method": "llm", "strategy": "direct", "parents": "source"}}
    for method, parents in (("human", "source"), ("llm", first)):
        asked |= {
            f"{method}-{strategy}": {"method": method, "strategy": strategy, "parents": parents}
            for strategy in STRATEGIES.built_in
            if strategy != "direct"
        }
    with edit_params(target) as params:
        params["distillations"] = asked
        for name, one in asked.items():
            if name != first:
                params["corpora"][name] = {"method": one["method"], "responses": name}


def corpora_section(teachers: Mapping[str, str]) -> dict[str, Any]:
    """Return the `corpora` section of params.yaml: one per teacher and one of all together.

    `teachers` maps what a corpus is called to its responder; its slug is the corpus's name. Without
    any, the reference responses alone make a corpus.
    """
    slugs = slugs_of(teachers, prefix="direct-", taken={ALL_TOGETHER})
    columns = {slugs[label]: [responder] for label, responder in teachers.items()}
    if len(teachers) > 1:
        columns[ALL_TOGETHER] = list(teachers.values())
    if not teachers:
        return {"reference": {"method": "reference", "responses": "source"}}
    return {
        name: {"method": "direct", "responses": "source", "teachers": responders}
        for name, responders in columns.items()
    }


def reproduce(folder: Path, targets: Sequence[str], *, quiet: bool = False) -> None:
    """Run `dvc repro` for `targets` in `folder`; raises PipelineError with the stage's exit code.

    DVC's output goes to standard error, so that standard output stays for the result. What a killed
    DVC left in its lock file is mended first.
    """
    mend_locks(folder)
    with tempfile.TemporaryDirectory() as scratch:
        status = Path(scratch) / "status"
        code = _dvc(
            folder,
            "repro",
            *(["--quiet"] if quiet else []),
            *targets,
            check=False,
            env={STATUS_FILE: str(status)},
        )
        if code == 0:
            return
        failed_gate = status.is_file() and status.read_text() == "1"
    kind = GateFailedError if failed_gate else PipelineError
    raise kind(
        f"{folder}: the build stopped; the reason is above\n"
        "Outputs of earlier runs are untouched. Mend the cause and run the same command again."
    )


def _dvc(
    folder: Path, *arguments: str, check: bool = True, env: dict[str, str] | None = None
) -> int:
    python = Path(sys.executable)
    search = os.pathsep.join([str(python.parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [str(python), "-m", "dvc", *arguments],
        cwd=folder,
        # `dvc init` reports its use over the network before a setting could forbid it.
        env={**os.environ, "DVC_NO_ANALYTICS": "1", "PATH": search, **(env or {})},
        stdout=sys.stderr.fileno(),
        check=False,
    )
    if check and done.returncode:
        raise PipelineError(f"{folder}: dvc {' '.join(arguments)} failed; the reason is above")
    return done.returncode


def student_sections(corpora: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections `students` and `models` of params.yaml for these `corpora`.

    One student, of the last corpus of the direct method, which is the widest one.
    """
    direct = [name for name, one in corpora.items() if one["method"] == "direct"]
    models = {"base": {"student": "base_model"}}
    for name in direct[-1:]:
        for step in ("sft", "dpo"):
            models[slug_of(name, prefix=f"{step}-")] = {"student": f"{name}/{step}"}
    return {"students": direct[-1:], "models": models}
