"""Studies: what the toolkit shows on real data, figures only.

A study takes the folder of the data and a scratch folder, and returns figures (counts, measures and
row ids, never third-party text). To add one: a module with `run`, and a line below.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from studies import (
    annotation_imports,
    audit,
    corpora,
    judging,
    reward,
    routing,
    scoring,
    student,
)

Study = Callable[[Path, Path], dict[str, Any]]

STUDIES: dict[str, Study] = {
    "annotation_imports": annotation_imports.run,
    "audit": audit.run,
    "corpora": corpora.run,
    "judging": judging.run,
    "reward": reward.run,
    "routing": routing.run,
    "scoring": scoring.run,
    "student": student.run,
}

__all__ = ["STUDIES", "Study"]
