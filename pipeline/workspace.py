"""A DVC workspace of its own for another corpus, so that the working tree stays as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.dvc_locks import mend_locks
from pipeline.errors import (
    GateFailedError,
    MissingFileError,
    ParamsError,
    PipelineError,
    TargetError,
)
from pipeline.names import slug_of, slugs_of
from pipeline.params import edit_params
from pipeline.sources import Source
from pipeline.storage import MARKER as FOLDER_MARKER
from pipeline.storage import AtomicFile, AtomicFolder, Claim, write_json
from pipeline.yaml_files import NotYamlError, parse_to_edit

PROJECT = Path(__file__).resolve().parents[1]
# The recording is of the sample: to another corpus it has no answer, and the stage says so.
# What the studies found is on the page to open first, whatever is built.
COPIED = (
    "dvc.yaml",
    ".dvcignore",
    "pipeline",
    "datasets/sample/model_ratings.jsonl",
    "reports/studies",
)
ACCEPTED = "reports/accepted.json"
ALL_TOGETHER = "direct-all_together"
MARKER = ".distillery-workspace"
STATUS_FILE = "DISTILLERY_STATUS_FILE"


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
    with AtomicFile(out / MARKER):
        pass
    for name in COPIED:
        _mirror(PROJECT / name, out / name)
    write_params(out / "params.yaml", source=source, path=path.resolve())
    if not (out / ACCEPTED).exists():
        write_json(out / ACCEPTED, {"source": None, "tables": {}})
    if not (out / ".dvc").exists():
        _dvc(out, "init", "--no-scm", "--quiet")
        for key in ("core.analytics", "core.check_update"):
            _dvc(out, "config", key, "false")


@contextmanager
def claim_workspace(out: Path) -> Iterator[None]:
    """Let one process at a time work in `out`; raises TargetError if it is no workspace."""
    target = Path(os.path.abspath(out))  # noqa: PTH100  a link stays a link
    _require_workspace(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with Claim(target):
        yield


def _require_workspace(out: Path) -> None:
    """Raise TargetError unless `out` is such a workspace, empty, or not there."""
    if out.exists() and not out.is_dir():
        raise TargetError(out, "a file, not a folder", hint="Choose another --out.")
    if out.exists() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise TargetError(
            out,
            "not empty, and not made by this command",
            hint="Give --out a new or empty folder.",
        )


def _mirror(origin: Path, copy: Path) -> None:
    """Make `copy` equal to `origin`, with its times, so that DVC sees no change where none is.

    All that is in such a folder of the workspace counts as ours.
    """
    if origin.is_dir():
        with AtomicFolder(copy, what="copy", known=lambda _: True, grows=True) as folder:
            shutil.copytree(
                origin,
                folder,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns("__pycache__", FOLDER_MARKER),
            )
    else:
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
            for strategy in STRATEGIES
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
