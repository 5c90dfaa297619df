from __future__ import annotations

from pathlib import Path

from pipeline.reporting.door.layout import draw
from pipeline.reporting.door.states import built_states, live_states
from pipeline.reporting.stage_graph import StageGraph, read_stage_graph
from pipeline.workspace import PROJECT

DVC = """
stages:
  read: {desc: reads, cmd: x, outs: [a.json: {persist: true}]}
  build:
    foreach: ${corpora}
    do: {desc: builds, cmd: x, deps: [a.json], outs: ["b/${key}.json": {persist: true}]}
  count: {desc: counts, cmd: x, deps: [b, a.json], metrics: [c.json: {cache: false}]}
"""


def graph(folder: Path) -> StageGraph:
    (folder / "dvc.yaml").write_text(DVC)
    (folder / "params.yaml").write_text("corpora: {one: {}, two: {}}")
    return read_stage_graph(folder / "dvc.yaml")


def kinds(found: object) -> dict[str, str]:
    return {name: state.kind for name, state in found.items()}  # type: ignore[attr-defined]


def test_a_stage_is_built_when_all_its_files_are_there(tmp_path: Path) -> None:
    stages = graph(tmp_path)
    (tmp_path / "a.json").touch()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "one.json").touch()

    found = built_states(stages, tmp_path)

    assert kinds(found) == {"read": "built", "build": "in part", "count": "not built"}
    assert found["build"].why == "missing: two"


def test_what_follows_a_changed_stage_is_behind(tmp_path: Path) -> None:
    found = live_states(
        graph(tmp_path),
        changed={"build@one": [{"changed deps": {"params.yaml": {"corpora.one": "modified"}}}]},
        locked=["read", "build@one", "build@two", "count"],
        notes={},
    )

    assert kinds(found) == {"read": "up to date", "build": "changed", "count": "behind"}
    assert found["build"].why == "one: changed deps: params.yaml corpora.one"
    assert found["count"].why == "after build"


def test_a_stage_that_dvc_never_recorded_never_ran(tmp_path: Path) -> None:
    found = live_states(graph(tmp_path), changed={}, locked=["read"], notes={})

    assert kinds(found) == {"read": "up to date", "build": "never run", "count": "never run"}


def test_a_stage_that_stopped_failed_until_it_is_up_to_date_again(tmp_path: Path) -> None:
    stages, notes = graph(tmp_path), {"build@one": "no rows", "count": ""}
    changed = {"build@one": ["changed command"], "count": [{"changed outs": {"c.json": "deleted"}}]}

    found = live_states(stages, changed=changed, locked=stages.stages, notes=notes)
    mended = live_states(stages, changed={}, locked=stages.stages, notes=notes)

    assert kinds(found) == {"read": "up to date", "build": "failed", "count": "unfinished"}
    assert found["build"].why == "no rows"
    assert set(kinds(mended).values()) == {"up to date"}


def test_the_maker_of_a_file_is_a_command(tmp_path: Path) -> None:
    stages = graph(tmp_path)

    assert stages.command_for("b/one.json") == "dvc repro build@one"
    assert stages.command_for("c.json", force=True) == "dvc repro --force --single-item count"
    assert stages.command_for("b/three.json") == "make repro"
    assert stages.command_for("elsewhere.json") == "make repro"


def test_an_arrow_that_a_longer_way_implies_is_left_out(tmp_path: Path) -> None:
    assert graph(tmp_path).arrows() == [("read", "build"), ("build", "count")]


def test_no_two_boxes_of_the_real_graph_overlap_and_makers_are_above() -> None:
    stages = read_stage_graph(PROJECT / "dvc.yaml")
    drawing = draw(stages)
    place = {box.name: box for box in drawing.boxes}

    assert set(place) == set(stages.stages)
    assert len({(round(box.x), round(box.y)) for box in drawing.boxes}) == len(place)
    assert all(place[maker].y < place[user].y for maker, user in stages.arrows())
    assert all(0 <= box.x <= drawing.width - 100 for box in drawing.boxes)
