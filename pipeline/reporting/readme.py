"""The generated parts of README.md, filled in by cog (`make docs`) so that they cannot drift."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import yaml

from pipeline.storage import read_json

COUNTS = Path("reports/studies/corpora/corpora.json")


def stage_graph() -> str:
    """Return the stages of dvc.yaml as a Mermaid graph, families of one stage as one box."""
    stages: dict[str, Any] = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    wanted = {name: _paths(stage, ("deps",)) for name, stage in stages.items()}
    made = {name: _paths(stage, ("outs", "metrics")) for name, stage in stages.items()}
    lines = ["", "```mermaid", "flowchart TD"]
    for name, stage in stages.items():
        many = " (one per corpus)" if "foreach" in stage else ""
        lines.append(f'  {name}["<b>{name}</b>{many}<br>{_body(stage)["desc"]}"]')
    needs = {
        name: {
            maker
            for maker, outs in made.items()
            if maker != name and any(_below(out, path) for out in outs for path in paths)
        }
        for name, paths in wanted.items()
    }
    for name, makers in needs.items():
        for maker in stages:
            # An arrow that a longer way implies would only hide the others.
            implied = any(maker in _upstream(other, needs) for other in makers)
            if maker in makers and not implied:
                lines.append(f"  {maker} --> {name}")
    return "\n".join([*lines, "```", ""])


def _upstream(name: str, needs: dict[str, set[str]]) -> set[str]:
    """Return all stages that `name` needs, directly or not."""
    return needs[name].union(*(_upstream(maker, needs) for maker in needs[name]))


def _body(stage: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = stage.get("do", stage)
    return body


def _paths(stage: dict[str, Any], keys: tuple[str, ...]) -> set[str]:
    entries = [entry for key in keys for entry in _body(stage).get(key, [])]
    names = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]
    # The responses of a corpus are the source's, or those that were parsed for it.
    either = ("source", "${key}")
    return {name.replace("${item.responses}", one) for name in names for one in either}


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def published_counts() -> str:
    """Return the counts of the real corpora as a Markdown table."""
    return "\n" + "\n".join(counts_table(read_json(COUNTS))) + "\n\n"


def counts_table(counts: dict[str, Any]) -> list[str]:
    """Return the counts of a `corpora.json` as the lines of a Markdown table."""
    splits = counts["splits"]
    lines = [
        f"{counts['source']}: {splits['train']:,} train / {splits['test']:,} test exchanges"
        f" (rule `{splits['rule']}`)",
        "",
        "| corpus | SFT source rows | SFT examples | strict pairs | authors' pairs"
        " | of these inverted | tied |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, by_filter in counts["corpora"].items():
        strict, authors = by_filter["strict"], by_filter["authors"]
        figures = (
            strict["sft_source_rows"],
            strict["sft_examples"],
            strict["pairs"],
            authors["pairs"],
            authors["inverted"],
            authors["tied"],
        )
        lines.append(f"| {name} | {' | '.join(f'{figure:,}' for figure in figures)} |")
    return lines


def layout() -> str:
    """Return what each part of the package is for, from the docstrings."""
    lines = ["", "| where | what it is for |", "|---|---|"]
    for path in sorted(Path("pipeline").iterdir()):
        module = path / "__init__.py" if path.is_dir() else path
        if module.suffix == ".py" and module.is_file() and path.name[0] != "_":
            lines.append(f"| `{path}{'/' if path.is_dir() else ''}` | {_first_line(module)} |")
    return "\n".join([*lines, ""]) + "\n"


def _first_line(module: Path) -> str:
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.split("\n\n")[0].split())
