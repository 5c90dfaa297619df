"""What the file of a stage declares, and what is said where no DAG can be made of it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pipeline.dag import graph
from pipeline.dag.command import run_stage
from pipeline.dag.declared import DeclarationError, Declared
from pipeline.dag.dvc_yaml import dvc_yaml
from pipeline.dag.graph import read_stages
from pipeline.dag.signature import declared, stage_paths
from pipeline.errors import ParamsError
from pipeline.params import check_params
from pipeline.workspace import PROJECT
from pipeline.yaml_files import parse_yaml

HEAD = """
\"\"\"Stage `{name}`: what it is for.\"\"\"
from __future__ import annotations
from pipeline.config import Section
from pipeline.declare import In, Item, Key, Metrics, Out, Param, Stage
from pipeline.records import Exchange, Rejection
class Own(Section):
    size: int
"""
Make = Callable[[str, str], ModuleType]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Return a function that makes the module of a stage from its name and code."""
    made = []

    def make_module(name: str, code: str) -> ModuleType:
        file = tmp_path / f"{name}.py"
        file.write_text(HEAD.format(name=name) + code, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(f"pipeline.stages.{name}", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        made.append(spec.name)
        spec.loader.exec_module(module)
        return module

    yield make_module
    for name in made:
        del sys.modules[name]


def entry(stage: Declared) -> dict[str, object]:
    found: dict[str, object] = parse_yaml(dvc_yaml([stage]), Path("dvc.yaml"))["stages"][stage.name]
    return found


def test_a_new_stage_needs_its_own_file_alone(make: Make) -> None:
    code = """
def run(
    params: Own, *, seed: int, exchanges: In[Exchange], rejections: Out[Rejection], metrics: Metrics
) -> None: ...
"""

    assert entry(declared(make("shorten", code))) == {
        "desc": "what it is for",
        "cmd": "python -m pipeline shorten --exchanges datasets/exchanges.parquet"
        " --rejections datasets/rejections/shorten.parquet --metrics reports/metrics/shorten.json",
        "deps": ["datasets/exchanges.parquet"],
        "params": ["seed", "shorten", {"code.yaml": ["shorten"]}],
        "outs": [{"datasets/rejections/shorten.parquet": {"persist": True}}],
        "metrics": [{"reports/metrics/shorten.json": {"cache": False, "persist": True}}],
    }


def test_a_stage_of_each_corpus_is_a_family_whose_names_are_quoted(make: Make) -> None:
    code = """
DAG = Stage(each="corpora", machine_dependent=True)
def run(name: Key[str], corpus: Item[Own], *, validation: In[Own], metrics: Metrics) -> None: ...
"""
    family = entry(declared(make("weigh", code)))

    assert family["foreach"] == "${corpora}"
    assert family["do"] == {
        "desc": "what it is for",
        "cmd": "python -m pipeline weigh '${key}'"
        " --validation 'reports/metrics/validation/${key}.json'"
        " --metrics 'reports/metrics/weigh/${key}.json'",
        "deps": ["reports/metrics/validation/${key}.json"],
        "params": ["corpora.${key}", {"code.yaml": ["weigh"]}],
        "metrics": [{"reports/metrics/weigh/${key}.json": {"cache": False, "persist": True}}],
        "meta": {"machine_dependent": True},
    }


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def run(*, exchanges: In[Exchange]) -> None: ...", "stage odd writes nothing"),
        ("def run(*, nowhere: Out[Exchange]) -> None: ...", "no path is known for 'nowhere'"),
        ("def run(*, metrics: Metrix) -> None: ...", "'Metrix' is not defined"),
        ("def run(*, metrics: Metrics, out) -> None: ...", "what is 'out' of stage odd"),
        ("def run(*paths: Metrics, metrics: Metrics) -> None: ...", "what is 'paths' of stage odd"),
        ("def run(*, exchanges: In, metrics: Metrics) -> None: ...", "is In of nothing"),
        ("def run(sed: int, *, metrics: Metrics) -> None: ...", "'sed' is 'sed', no section"),
        (
            "def run(name: Key[str], *, metrics: Metrics) -> None: ...",
            "is of an item",
        ),
        ("DAG = 'hello'\ndef run(*, metrics: Metrics) -> None: ...", "DAG is 'hello'"),
        (
            "DAG = Stage(each='nosuch')\ndef run(*, metrics: Metrics) -> None: ...",
            "runs for each of 'nosuch', no section",
        ),
        (
            'DAG = Stage(each=("it\'s",))\ndef run(*, metrics: Metrics) -> None: ...',
            "stage odd runs for",
        ),
        (
            "DAG = Stage(watches=('nosuch',))\ndef run(*, metrics: Metrics) -> None: ...",
            "watches 'nosuch', no section",
        ),
        (
            "DAG = Stage(reads=('{nosuch.path}',))\ndef run(*, metrics: Metrics) -> None: ...",
            "has 'nosuch.path', no section",
        ),
        (
            "DAG = Stage(reads=('nowhere',))\ndef run(*, metrics: Metrics) -> None: ...",
            "no path is known for 'nowhere'",
        ),
    ],
)
def test_what_is_no_stage_is_refused_with_file_and_line(make: Make, code: str, said: str) -> None:
    with pytest.raises(DeclarationError, match=rf"odd\.py:\d+: .*{said}"):
        entry(declared(make("odd", code)))


def test_two_stages_that_write_one_path_are_both_named(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("twin", "def run(*, exchanges: Out[Exchange]) -> None: ...")
    monkeypatch.setattr(graph, "stage_names", lambda: ["ingest", "twin"])

    with pytest.raises(DeclarationError, match=r"twin\.py:\d+: .*pipeline/stages/ingest\.py:\d+"):
        read_stages()


def test_a_ring_is_refused(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make("dog", "def run(*, features: In[Own], generations: Out[Own]) -> None: ...")
    make("tail", "def run(*, generations: In[Own], features: Out[Own]) -> None: ...")
    monkeypatch.setattr(graph, "stage_names", lambda: ["dog", "tail"])

    with pytest.raises(DeclarationError, match="each of these stages needs another: dog, tail"):
        read_stages()


def test_stages_come_in_the_order_of_a_build() -> None:
    names = [stage.name for stage in read_stages()]

    assert names[0] == "code"
    assert names[-1] == "report"
    assert sorted(names) == sorted(set(names))
    assert names.index("ingest") < names.index("split") < names.index("distil")


def test_the_paths_of_an_item_are_filled_in() -> None:
    paths = stage_paths("distil", key="human-naive", parents="source")

    assert paths["responses"] == Path("datasets/responses/source.parquet")
    assert paths["out"] == Path("datasets/completions/human-naive.parquet")


def test_the_section_of_a_new_stage_is_read_as_its_run_declares(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("shorten", "def run(params: Own, *, metrics: Metrics) -> None: ...")
    monkeypatch.setattr("pipeline.params.stage_names", lambda: ["shorten"])
    text = (PROJECT / "params.yaml").read_text(encoding="utf-8")

    params = check_params(f"{text}\nshorten: {{size: 3}}\n".encode(), Path("params.yaml"))
    assert params.section("shorten").size == 3

    with pytest.raises(ParamsError, match=r"shorten\.sise: Extra inputs are not permitted"):
        check_params(f"{text}\nshorten: {{size: 3, sise: 4}}\n".encode(), Path("params.yaml"))
    with pytest.raises(ParamsError, match=r"longer: Extra inputs are not permitted"):
        check_params(f"{text}\nlonger: {{size: 3}}\n".encode(), Path("params.yaml"))


def test_a_new_stage_runs_with_its_section_and_its_paths(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = """
def run(params: Own, *, seed: int, metrics: Metrics) -> None:
    metrics.write_text(f"{params.size} {seed}")
"""
    stage = declared(make("shorten", code))
    monkeypatch.setattr("pipeline.params.stage_names", lambda: ["shorten"])
    text = (PROJECT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(f"{text}\nshorten: {{size: 3}}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    run_stage(stage, {"metrics": tmp_path / "out.json"})

    assert (tmp_path / "out.json").read_text() == "3 42"
