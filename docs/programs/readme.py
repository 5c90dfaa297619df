"""The generated parts of README.md and CONTRIBUTING.md: stages, counts and layout."""

from __future__ import annotations

import ast
from pathlib import Path

from pipeline.reporting.counts import counts_table
from pipeline.reporting.stage_graph import read_stage_graph
from pipeline.storage import read_json

BESIDE = tuple(map(Path, ("studies", "benchmarks", "docs/programs")))
COUNTS = Path("reports/studies/corpora/corpora.json")


def stage_graph() -> str:
    """Return the stages of dvc.yaml as a Mermaid graph, families of one stage as one box."""
    graph = read_stage_graph(Path("dvc.yaml"))
    lines = ["", "```mermaid", "flowchart TD"]
    for stage in graph.stages.values():
        many = " (one per corpus)" if stage.is_family else ""
        lines.append(f'  {stage.name}["<b>{stage.name}</b>{many}<br>{stage.desc}"]')
    lines += [f"  {maker} --> {user}" for maker, user in graph.arrows()]
    return "\n".join([*lines, "```", ""])


def published_counts() -> str:
    """Return the counts of the real corpora as a Markdown table."""
    return "\n" + "\n".join(counts_table(read_json(COUNTS))) + "\n\n"


def layout() -> str:
    """Return what each part of the package and what stands beside it is for, from docstrings."""
    lines = ["", "| where | what it is for |", "|---|---|"]
    for path in (*sorted(Path("pipeline").iterdir()), *BESIDE):
        module = path / "__init__.py" if path.is_dir() else path
        if module.suffix == ".py" and module.is_file() and path.name[0] != "_":
            lines.append(f"| `{path}{'/' if path.is_dir() else ''}` | {_first_line(module)} |")
    return "\n".join([*lines, ""]) + "\n"


def _first_line(module: Path) -> str:
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.split("\n\n")[0].split())
