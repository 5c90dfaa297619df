"""A package from outside adds one of each, and all of them work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.audit.finding import Finding
from pipeline.evaluation.comparison import Meeting, Options, compare
from pipeline.evaluation.judge_kinds import JUDGES, JudgeInputs, make_judges
from pipeline.extensions import distributions
from pipeline.features.embeddings import MiniLm
from pipeline.llm import LlmParams
from pipeline.params import edit_params, load_params
from pipeline.prompts import load_template
from pipeline.records import Exchange, Response
from pipeline.stages import ingest
from pipeline.stages.ingest import IngestParams
from pipeline.storage import read_json, read_table
from pipeline.strategies import STRATEGIES, prompt_id
from pipeline.workspace import PROJECT
from tests.cli.command import Cli
from tests.evaluation.contests import exchange, reply
from tests.exports.corpus import CORPUS, export_small, small_build
from tests.strategies.test_strategies import DRAFT
from tests.teachers import ScriptedChat

pytestmark = pytest.mark.usefixtures("warm_words")


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Return the command line as a function of its arguments."""
    return Cli(monkeypatch, capsys)


def test_an_audit_of_a_file_runs_the_detector(tmp_path: Path, cli: Cli) -> None:
    file = tmp_path / "replies.csv"
    file.write_text("utterance,response\nI lost it.,OH NO.\nIt broke.,That must hurt.\n")

    code, said, _ = cli("audit", file, "--out", tmp_path / "out")

    findings = list(read_table(tmp_path / "out" / "findings.parquet", Finding))
    assert code == 1
    assert "shouting                ok" in said
    assert [one.evidence for one in findings if one.detector == "shouting"] == ["OH NO."]
    assert (
        read_json(tmp_path / "out" / "summary.json")["detectors"]["shouting"]["family"] == "style"
    )
    assert 'id="d-shouting"' in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_ingest_reads_the_source(tmp_path: Path) -> None:
    letters = tmp_path / "letters.txt"
    letters.write_text("My cat is gone.\tYou must miss her.\n", encoding="utf-8")
    paths = {
        name: tmp_path / f"{name}.parquet" for name in ("exchanges", "responses", "rejections")
    }

    params = IngestParams(source="letters", path=letters, max_chars=100)
    ingest.run(params, **paths, metrics=tmp_path / "ingest.json")

    assert [one.utterance for one in read_table(paths["exchanges"], Exchange)] == [
        "My cat is gone."
    ]
    assert [one.text for one in read_table(paths["responses"], Response)] == ["You must miss her."]
    assert read_json(tmp_path / "ingest.json")["source"] == "letters"


async def test_the_strategy_asks_with_a_template_of_its_own_and_parts_of_ours() -> None:
    chat = ScriptedChat(["Those mornings must ache."])

    answer = await STRATEGIES["warmer"](DRAFT, chat)

    assert answer.text == "Those mornings must ache."
    asked = chat.asked[0][0].content
    assert asked.startswith("Write the reply again, and warmer.")
    assert f"<reply>\n{DRAFT.response}\n</reply>" in asked
    assert prompt_id("warmer", direct="direct/respond").startswith("warm_words:improve/warmer@")


def test_a_part_of_ours_counts_in_the_id_of_the_template() -> None:
    template = load_template("warm_words:improve/warmer")

    assert "Now write the listener's new reply." in template.spelled_out


def test_params_may_name_source_strategy_and_judge(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    shutil.copy(PROJECT / "params.yaml", path)

    with edit_params(path) as values:
        values["ingest"]["source"] = "letters"
        next(one for name, one in values["distillations"].items() if name != "llm-direct")[
            "strategy"
        ] = "warmer"
        values["evaluate"]["judges"] = ["thanks"]

    assert load_params(path).evaluate.judges == ("thanks",)


def test_a_comparison_has_rows_of_the_judge(tmp_path: Path, llm: LlmParams) -> None:
    one = exchange(1)
    replies = {
        "sft-direct": {one.id: reply("sft-direct", "thank you for this", one)},
        "base": {one.id: reply("base", "That is bad.", one)},
    }
    inputs = JudgeInputs(tmp_path, tmp_path, tmp_path, MiniLm(), llm, 0.1, 0.1)

    table = compare(
        [Meeting("sft-direct", "base", "direct")],
        replies,
        {"random": [one]},
        list(make_judges(["thanks"], inputs).values()),
        Options(tolerance=0.2, seed=0, resamples=100),
    )

    assert [(row.judge, row.win_rate) for row in table.rows if not row.length_matched] == [
        ("thanks", 1.0)
    ]
    assert JUDGES["thanks"].learned_from == "nothing: it looks for one word"


@pytest.fixture
def llm() -> LlmParams:
    """Return the models of our params.yaml."""
    return load_params(PROJECT / "params.yaml").llm


def test_an_export_is_written_in_the_format(tmp_path: Path) -> None:
    out = tmp_path / "out"

    exported = export_small(small_build(tmp_path / "build"), out, "plain-text", kinds=["sft"])

    assert exported.corpus == CORPUS
    assert len((out / "sft-train.txt").read_text().splitlines()) == exported.parts[0].rows
    assert "One id a line." in (out / "README.md").read_text()


def test_the_package_counts_with_its_version_and_all_its_files(
    warm_words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (before,) = distributions()
    copy = tmp_path / "copy"
    shutil.copytree(warm_words, copy / "warm_words")
    template = copy / "warm_words" / "templates" / "improve" / "warmer.yaml"
    template.write_text(template.read_text().replace("warmer", "much warmer"), encoding="utf-8")
    monkeypatch.syspath_prepend(copy)

    (after,) = distributions()

    assert (before.name, before.version) == (after.name, after.version) == ("warm-words", "0.3")
    assert before.sha256 != after.sha256
