"""A DVC workspace of its own for another corpus, so that the working tree stays as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.dvc_locks import mend_locks
from pipeline.errors import GateFailedError, MissingFileError, ParamsError, PipelineError
from pipeline.sources import Source
from pipeline.storage import write_json

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
    if out.exists() and any(out.iterdir()) and not (out / MARKER).exists():
        raise PipelineError(
            f"{out}: not empty, and not made by this command\nGive --out a new or empty folder."
        )
    out.mkdir(parents=True, exist_ok=True)
    (out / MARKER).touch()
    for name in COPIED:
        _mirror(PROJECT / name, out / name)
    write_params(out / "params.yaml", source=source, path=path.resolve())
    if not (out / ACCEPTED).exists():
        write_json(out / ACCEPTED, {"source": None, "tables": {}})
    if not (out / ".dvc").exists():
        _dvc(out, "init", "--no-scm", "--quiet")
        for key in ("core.analytics", "core.check_update"):
            _dvc(out, "config", key, "false")


def _mirror(origin: Path, copy: Path) -> None:
    """Make `copy` equal to `origin`, with its times, so that DVC sees no change where none is."""
    if origin.is_dir():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(origin, copy, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(origin, copy)


def write_params(target: Path, *, source: Source, path: Path) -> None:
    """Write the project's params.yaml with the sections that depend on the source changed.

    Waivers name one source's findings, so those of an earlier `target` stay with it. Raises
    ParamsError where that is not readable.
    """
    yaml = YAML()
    ours = PROJECT / "params.yaml"
    params: dict[str, Any] = yaml.load(ours.read_text(encoding="utf-8"))
    params["audit"]["waivers"] = _waivers(target if target.exists() else ours, source)
    params["ingest"]["path"] = str(path)
    if params["ingest"]["source"] != source.name:
        params["ingest"]["source"] = source.name
        params["ingest"].pop("columns", None)
        params["split"]["rule"] = source.split_rule
        params["responders"] = {
            "reference_responder": source.reference_responder,
            "teacher_responders": list(source.teachers.values()),
        }
        params["corpora"] = corpora_section(source.teachers)
        params |= student_sections(params["corpora"])
        params["distillations"] = {}  # they would ask the teacher; `add_distillations` does
    with target.open("w", encoding="utf-8") as stream:
        yaml.dump(params, stream)


def _waivers(written: Path, source: Source) -> list[Any]:
    """Return the waivers in `written`, a params.yaml, if it is about `source`."""
    try:
        params = YAML().load(written.read_text(encoding="utf-8"))
        if params["ingest"]["source"] != source.name:
            return []
        return (params.get("audit") or {}).get("waivers") or []
    except (YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ParamsError(written, [f"not what was written there: {error}"]) from error


def add_distillations(target: Path) -> None:
    """Add to the params.yaml at `target` every strategy of methods 2 and 3, and its corpus."""
    from pipeline.strategies import STRATEGIES

    yaml = YAML()
    params: dict[str, Any] = yaml.load(target.read_text(encoding="utf-8"))
    first = "llm-direct"
    params["distillations"] = {first: {"method": "llm", "strategy": "direct", "parents": "source"}}
    for method, parents in (("human", "source"), ("llm", first)):
        for strategy in STRATEGIES:
            if strategy == "direct":
                continue
            name = f"{method}-{strategy}"
            params["distillations"][name] = {
                "method": method,
                "strategy": strategy,
                "parents": parents,
            }
            params["corpora"][name] = {"method": method, "responses": name}
    with target.open("w", encoding="utf-8") as stream:
        yaml.dump(params, stream)


def corpora_section(teachers: Mapping[str, str]) -> dict[str, Any]:
    """Return the `corpora` section of params.yaml: one per teacher and one of all together.

    `teachers` maps a corpus's short name to its responder. Without any, the reference responses
    alone make a corpus.
    """
    columns = {f"direct-{name}": [responder] for name, responder in teachers.items()}
    if len(teachers) > 1:
        columns["direct-all_together"] = list(teachers.values())
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
        env={**os.environ, "PATH": search, **(env or {})},
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
        models |= {f"{step}-{name}": {"student": f"{name}/{step}"} for step in ("sft", "dpo")}
    return {"students": direct[-1:], "models": models}
