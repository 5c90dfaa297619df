"""Builds of the sample, edited in each way, in a git and DVC repository."""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from pipeline.params import load_params
from tests.builds import build

CORPUS = "direct-listener_b"
WHO = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
HOSTILE = "<script>alert(1)</script>"


def run(folder: Path, *command: str) -> None:
    python = [sys.executable, "-m", "dvc"] if command[0] == "dvc" else [command[0]]
    subprocess.run([*python, *command[1:]], cwd=folder, check=True, capture_output=True)


def commit(folder: Path, message: str, checks: dict[str, Any]) -> None:
    """Build what params.yaml says, hand it to DVC, and commit."""
    params = load_params(folder / "params.yaml")
    at_home = params.ingest.model_copy(update={"path": folder / "raw.jsonl"})
    build(params.model_copy(update={"ingest": at_home}), folder)
    metrics = folder / "reports/metrics"
    (metrics / "validation").mkdir(parents=True, exist_ok=True)
    (metrics / "validation" / f"{CORPUS}.json").write_text(json.dumps(checks["gate"]))
    (metrics / "audit.json").write_text(json.dumps(checks["audit"]))
    # As the base model of the students: in dvc.lock, not in the cache, and no part of a corpus.
    (folder / "datasets/students/base_model").mkdir(parents=True, exist_ok=True)
    (folder / "datasets/students/base_model/weights").write_text(message)
    tables = sorted(str(one.relative_to(folder)) for one in folder.glob("datasets/**/*.parquet"))
    stage = {
        "cmd": "true",
        "deps": ["raw.jsonl"],
        "params": ["prompt", "split"],
        "outs": [
            *({one: {"persist": True}} for one in tables),
            {"datasets/students/base_model": {"cache": False, "persist": True}},
        ],
    }
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"build": stage}}))
    run(folder, "dvc", "commit", "--force", "--quiet")
    run(folder, "git", "add", "--all")
    run(folder, "git", *WHO, "commit", "--quiet", "--message", message)


def write(folder: Path, rows: list[dict[str, Any]]) -> None:
    lines = "".join(json.dumps(one) + "\n" for one in rows)
    (folder / "raw.jsonl").write_text(lines, encoding="utf-8")


def rated(row: dict[str, Any]) -> tuple[int, int]:
    """Return the ratings of the reference and of the teacher."""
    by = {one["responder"]: one["rating"] for one in row["responses"]}
    return by["listener_a"], by["listener_b"]


def teacher_of(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(r for r in row["responses"] if r["responder"] == "listener_b")
    return found


def edited(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the sample with one edit of each sort."""
    rows = deepcopy(rows)
    pairs = [row for row in rows if rated(row) == (2, 3)]
    tied = next(row for row in rows if rated(row) == (2, 2))
    gone, lower, said, rewritten = pairs[:4]
    teacher_of(lower)["rating"] = 2
    said["utterance"] += f" {HOSTILE}"
    teacher_of(rewritten)["sentences"][0] += " Truly."
    teacher_of(tied)["rating"] = 3
    new = {**deepcopy(rewritten), "id": "sample-new", "situation": "A new one."}
    return [row for row in rows if row is not gone] + [new]
