"""Stage `report`: all pages and the cards, from what the other stages wrote."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pipeline.declare import Out, Page, Param, Stage
from pipeline.pages import write_page
from pipeline.reporting.built_pages import write_pages
from pipeline.reporting.cards.writing import write_cards
from pipeline.reporting.door import door_html
from pipeline.reporting.door.states import State, built_states
from pipeline.reporting.facts import Facts
from pipeline.reporting.stage_graph import read_stage_graph

# The records of trainings change with their metrics, and there are none without students.
DAG = Stage(
    reads=(
        "reward",
        "scorer",
        "students",
        "rounds",
        "findings",
        "all_metrics",
        "studies",
        "expect.out",
    ),
    watches=("corpora", "distillations", "students", "models"),
    machine_dependent=True,
)


def run(
    params: Annotated[Mapping[str, Any], Param("", watched=False)],
    *,
    root: Path = Path(),
    page: Out[Page],
    cards: Out[Page],
    comparison: Out[Page],
    validation: Out[Page],
    annotation: Out[Page],
    audits: Out[Page],
    reward_curve: Out[Page],
    student_curves: Out[Page],
) -> None:
    """Write the cards of all that is measured, each set of pages, then `page`, to open first.

    `params` is params.yaml as plain values; files are looked for where the dvc.yaml of the folder
    `root` puts them. What is not built is said to be so. A file that the page cannot read spoils
    its section there; one that a card cannot be written from stops the stage.
    """
    facts = Facts(root, read_stage_graph(root / "dvc.yaml"))
    write_cards(facts, cards)
    pages = {
        "comparison": comparison,
        "validation": validation,
        "annotation": annotation,
        "audits": audits,
        "reward_curve": reward_curve,
        "student_curves": student_curves,
    }
    write_pages(root, pages)
    states = built_states(facts.graph, root)
    states["report"] = State("built", "this page")
    write_page(page, door_html(facts, params, states, live=False))
