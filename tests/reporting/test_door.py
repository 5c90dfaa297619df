"""The first page says what is there, what is not, and where each figure is from."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pipeline.reporting.door.states import State, live_states
from pipeline.reporting.stage_graph import read_stage_graph
from pipeline.stages import report
from pipeline.workspace import PROJECT
from tests.reporting.doors import (
    HOSTILE,
    METRICS,
    build,
    change,
    page_of,
    params_of,
    report_paths,
    section,
)
from tests.reporting.tracing import recomputed, says

__all__ = ["build"]


class Traced(HTMLParser):
    """Collects the figures of a page, and the text of its sections that is in no figure."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.figures: list[tuple[dict[str, str | None], str]] = []
        self.loose: list[str] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br", "path", "circle", "rect"):
            self._open.append((tag, dict(attrs)))
        if tag in ("data", "bdi") and "data-source" in dict(attrs):
            self.figures.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1][0] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        inside = [attrs for _, attrs in self._open]
        tags = {tag for tag, _ in self._open}
        if any("data-source" in attrs for attrs in inside):
            attrs, text = self.figures[-1]
            self.figures[-1] = (attrs, text + data)
        elif not tags & {"code", "style", "title", "desc", "svg"} and "main" in tags:
            self.loose.append(data)


def test_every_figure_on_the_page_is_what_its_file_says(build: Path) -> None:
    figures = Traced(page_of(build)).figures

    assert len(figures) > 100
    for attrs, text in figures:
        places = str(attrs["data-source"]).replace("%20", "\0").split(" ")
        how: Any = attrs["data-how"]
        value = recomputed(build, how, [place.replace("\0", " ") for place in places])
        assert says(text, value), (attrs, text)
        if "value" in attrs:
            assert json.loads(str(attrs["value"])) == value


def test_no_digit_in_the_sections_is_from_elsewhere(build: Path) -> None:
    loose = " ".join(Traced(page_of(build)).loose).split("Which stages have left")[0]

    assert re.findall(r"\S*\d\S*", loose.replace("Macro F1", "")) == []


def test_a_changed_metric_changes_the_page(build: Path) -> None:
    before = page_of(build)
    change(build, "scorer.json", "scorer", "accuracy", to=0.1234)

    assert "12.3%" in page_of(build)
    assert "12.3%" not in before


def test_the_same_files_give_the_same_page(build: Path) -> None:
    assert page_of(build) == page_of(build)


def test_what_is_not_built_is_named_with_its_command(tmp_path: Path) -> None:
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(PROJECT / name, tmp_path / name)

    html = page_of(tmp_path)

    assert "Nothing is built yet" in html
    assert "dvc repro count_corpora" in section(html, "corpora")
    assert "dvc repro train_scorer" in section(html, "scorers")
    assert "dvc repro merge_annotations" in section(html, "annotation")
    assert html.count("Not built yet") >= 5


@pytest.mark.parametrize("damage", ["", "{", "[1, 2]", '{"corpora": 3}', "\xff"])
def test_a_broken_file_spoils_its_own_section_alone(build: Path, damage: str) -> None:
    (build / METRICS / "corpora.json").write_bytes(damage.encode("latin-1"))

    html = page_of(build)

    assert "Do not train on this build yet" in html
    assert "reports/metrics/corpora.json" in section(html, "corpora")
    assert "Cannot be read" in section(html, "corpora")
    assert "Weighted kappa" in section(html, "scorers")


def test_a_failed_gate_and_an_open_critical_finding_are_the_first_thing_said(build: Path) -> None:
    change(build, "validation/human-naive.json", "passed", to=False)
    change(build, "audit.json", "sft-human-naive", "critical", to=3)

    html = page_of(build)
    head = html.split("<dl")[0]

    assert "the gate of human-naive failed" in head
    assert "the audit of sft-human-naive has open critical findings" in head
    assert ">5</data> <span>of <data" in html  # gates that passed


def test_a_build_that_no_gate_has_seen_is_not_called_good(build: Path) -> None:
    shutil.rmtree(build / METRICS / "validation")
    (build / METRICS / "audit.json").unlink()
    (build / METRICS / "expectations.json").unlink()
    graph = read_stage_graph(build / "dvc.yaml")

    html = page_of(build, dict.fromkeys(graph.stages, State("up to date")))

    assert "No gate has looked at this build" in html
    assert "Every gate that was run has passed" not in html
    assert "From " not in section(html, "gates")


def test_a_waived_finding_is_no_alarm_but_is_shown(build: Path) -> None:
    change(build, "audit.json", "sft-human-naive", "critical", to=2)
    change(build, "audit.json", "sft-human-naive", "waived", to=2)

    html = page_of(build)

    assert "Do not train on this build" not in html
    assert "all of them waived" in html
    assert "waived" in section(html, "gates")


def test_a_failed_stage_is_shown_with_its_reason(build: Path) -> None:
    graph = read_stage_graph(build / "dvc.yaml")
    states = live_states(
        graph,
        changed={"train_scorer": [{"changed deps": {"datasets/features.parquet": "modified"}}]},
        locked=graph.stages,
        notes={"train_scorer": "<b>one class only</b>"},
    )

    html = page_of(build, states)

    assert "stage train_scorer failed" in html.split("<dl")[0]
    assert "&lt;b&gt;one class only&lt;/b&gt;" in html
    assert "<b>one" not in html


def test_a_student_that_params_do_not_name_is_not_shown(build: Path) -> None:
    folder = build / METRICS / "students"
    shutil.copytree(folder / "human-sequential", folder / "of-another-corpus")

    html = page_of(build)

    assert "sft-human-sequential" in section(html, "students")
    assert "of-another-corpus" not in html


def test_an_interval_is_drawn_where_there_is_one(build: Path) -> None:
    students = section(page_of(build), "students").partition("<h3")[0]

    assert students.count("<svg") == 1
    assert 'aria-label="from 61.0 to 93.0 percent, 81.2 at best"' in students
    assert "81.2%" in students


def test_hostile_names_and_cells_are_shown_and_do_nothing(build: Path) -> None:
    corpora = json.loads((build / METRICS / "corpora.json").read_text())
    corpora["corpora"][HOSTILE] = corpora["corpora"].pop("human-naive")
    (build / METRICS / "corpora.json").write_text(json.dumps(corpora))
    change(build, "ingest.json", "title", to=HOSTILE)

    html = page_of(build)

    assert "<script" not in html
    assert "&lt;script&gt;window.ran = true&lt;/script&gt; {{ 7 * 7 }} ⟨U+202E⟩" in html
    assert all(says(text, str(text)) for _, text in Traced(html).figures)


def test_the_stage_writes_page_and_cards_or_leaves_both(build: Path) -> None:
    paths = report_paths(build)
    report.run(params_of(build), root=build, **paths)
    before = {path: path.read_bytes() for path in build.rglob("*") if path.is_file()}

    (build / METRICS / "descriptions.json").write_text("{")
    with pytest.raises(Exception, match=r"descriptions\.json: not JSON"):
        report.run(params_of(build), root=build, **paths)

    kept = {path: path.read_bytes() for path in build.rglob("*") if path.is_file()}
    assert {**kept, build / METRICS / "descriptions.json": b""} == {
        **before,
        build / METRICS / "descriptions.json": b"",
    }
    assert (paths["cards"] / "human-naive.md").is_file()


def test_no_corpus_at_all_is_a_page_too(build: Path) -> None:
    change(build, "corpora.json", "corpora", to={})

    assert "No corpus is named in params.yaml." in page_of(build)


@pytest.mark.parametrize("value", ["many", None, [1], {"a": 1}])
def test_a_figure_of_another_kind_is_named_with_its_place(build: Path, value: object) -> None:
    change(build, "audit.json", "source", "critical", to=value)

    assert "reports/metrics/audit.json#/source/critical: " in section(page_of(build), "gates")
