"""The pages of a build beside the first one, from the data that its stages left.

A set of pages is a file or a folder under reports/; what its data is not there for is not made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from pipeline.annotation.rounds import read_round, round_files
from pipeline.audit.run import read_result
from pipeline.evaluation.comparison import ComparisonRow
from pipeline.layout import place
from pipeline.pages import write_page
from pipeline.records import Annotation
from pipeline.reporting.annotation_page import annotation_html
from pipeline.reporting.audit_page import audit_html
from pipeline.reporting.comparison import comparison_pages
from pipeline.reporting.reward import curve_svg
from pipeline.reporting.student_curves import curves_svg
from pipeline.reporting.validation_page import validation_html
from pipeline.storage import AtomicFolder, read_json, read_json_as
from pipeline.student.run_record import STEPS
from pipeline.validation.run import BuildReport

# What stages wrote beside their pages when they still drew them.
EARLIER = ("findings.parquet", "run.json", "steps.csv", "summary.json")
# What makes each page of a set, by its path in the set's folder; "" for a set that is one file.
Pages = Mapping[str, Callable[[], str]]


def comparison(root: Path) -> Pages:
    """Return the comparison of models in its four forms."""
    table, replies = root / place("evaluate.evaluation"), root / place("evaluate.replies")
    if not (table.is_file() and replies.is_file()):
        return {}
    return comparison_pages(read_json_as(table, list[ComparisonRow]), read_json(replies))


def validation(root: Path) -> Pages:
    """Return the page of what was expected of each table."""
    checks = root / place("expect.out")
    if not checks.is_file():
        return {}
    return {"": lambda: validation_html(read_json_as(checks, BuildReport))}


def annotation(root: Path) -> Pages:
    """Return the page of what people labelled, from the rounds and the figures of all of them."""
    figures = root / place("merge_annotations.metrics")
    if not figures.is_file():
        return {}
    return {"": lambda: annotation_html(read_json(figures), list(_annotations(root)))}


def _annotations(root: Path) -> Iterator[Annotation]:
    for path in round_files(root / place("rounds")).values():
        yield from read_round(path)


def audits(root: Path) -> Pages:
    """Return a page per audited table."""
    return {
        f"{folder.name}/index.html": partial(_audit, root, folder.name)
        for folder in sorted((root / place("findings")).glob("*"))
        if folder.is_dir()
    }


def _audit(root: Path, table: str) -> str:
    kept_in = f"{place('findings')}/{table}"
    return audit_html(read_result(root / kept_in), kept_in=kept_in)


def reward_curve(root: Path) -> Pages:
    """Return the learning curves of reward models."""
    rows = root / place("reward_curve.metrics")
    return {"": lambda: curve_svg(read_json(rows))} if rows.is_file() else {}


def student_curves(root: Path) -> Pages:
    """Return the curves of each training of a student."""
    training = root / place("training")
    return {
        f"{steps.parent.relative_to(training).as_posix()}/curves.svg": partial(curves_svg, steps)
        for steps in sorted(training.glob(f"*/*/{STEPS}"))
    }


SETS: Mapping[str, Callable[[Path], Pages]] = {
    "comparison": comparison,
    "validation": validation,
    "annotation": annotation,
    "audits": audits,
    "reward_curve": reward_curve,
    "student_curves": student_curves,
}


def write_pages(root: Path, outs: Mapping[str, Path]) -> None:
    """Write each set of pages of the build in `root` to its place in `outs`."""
    for name, out in outs.items():
        pages = SETS[name](root)
        if "" in pages:
            write_page(out, pages[""]())
        elif not Path(place(f"report.{name}")).suffix:
            _write_folder(name, out, pages)


def _write_folder(name: str, out: Path, pages: Pages) -> None:
    """Write a folder of pages whole, so that none of an earlier build stays in it."""
    with AtomicFolder(out, what=name, known=partial(_are_pages, pages=pages)) as folder:
        for path, make in pages.items():
            write_page(folder / path, make())


def _are_pages(folder: Path, *, pages: Pages) -> bool:
    """Return whether all in `folder` is what is written now or was once; it had no marker."""
    files = (path for path in folder.rglob("*") if not path.is_dir())
    return all(
        path.name in EARLIER or path.relative_to(folder).as_posix() in pages for path in files
    )


def maker_of(root: Path, file: str) -> Callable[[], str] | None:
    """Return what makes the page of the build in `root` at `file`; None if it has none there."""
    for name, make_set in SETS.items():
        out = place(f"report.{name}")
        if file == out or file.startswith(f"{out}/"):
            return make_set(root).get(file.removeprefix(out).removeprefix("/"))
    return None
