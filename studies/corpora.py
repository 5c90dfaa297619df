"""Study `corpora`: the direct corpora of the 2,000 rated dialogues, beside the paper's counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.sources import get_source
from pipeline.storage import read_json
from pipeline.workspace import build_workspace, reproduce

DATASET = Path("welivita2024/dataset.csv")


def run(data: Path, scratch: Path) -> dict[str, Any]:
    """Build the corpora of welivita2024 and return the content of `corpora.json`."""
    folder = scratch / "welivita2024"
    build_workspace(folder, source=get_source("welivita2024"), path=data / DATASET)
    reproduce(folder, ["build_preferences", "count_corpora"], quiet=True)
    return {"corpora.json": read_json(folder / "reports" / "metrics" / "corpora.json")}
