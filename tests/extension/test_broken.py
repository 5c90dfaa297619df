"""What a broken package does: one clear error, and never a silent gap."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.audit.result import AuditResult, DetectorRun
from pipeline.audit.run import run_audit
from pipeline.audit.settings import AuditSettings
from pipeline.errors import PipelineError
from pipeline.evaluation.judge_kinds import JUDGES, JudgeInputs
from pipeline.exports.formats import FORMATS
from pipeline.extensions import ExtensionError, distributions
from pipeline.sources import SOURCES, ReadOptions, get_source
from pipeline.strategies import STRATEGIES
from tests.audit.tables import replies, table
from tests.evaluation.contests import contest
from tests.strategies.test_strategies import DRAFT
from tests.teachers import ScriptedChat

# Installs a package of one module, and returns its file.
Install = Callable[..., Path]

NAMED = r"entry point {name} = odd_words:{value} \(distillery\.{group}\) of odd-words 1\.0: "

DETECTS = """
from pipeline.audit.detector import Detector
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import Detection

def detect(table, settings):
    {body}

ODD = Detector("odd", detect)
"""


def audit() -> AuditResult:
    return run_audit(table(replies("I hear you.")), AuditSettings())


def failed() -> DetectorRun:
    (run,) = audit().failed
    return run


def named(group: str, name: str = "odd", value: str = "ODD") -> str:
    return NAMED.format(group=group, name=name, value=value)


def test_a_detector_that_raises_on_import_has_failed_and_stops_no_other(install: Install) -> None:
    file = install("import math\n\n1 / 0\n", {("detectors", "odd"): "ODD"})

    result = audit()

    (run,) = result.failed
    assert (run.detector, run.status) == ("odd", "failed")
    assert "odd = odd_words:ODD (distillery.detectors) of odd-words 1.0: ZeroDivision" in run.why
    assert f"({file} line 3)" in run.why
    assert len([run for run in result.runs if run.status in ("ok", "skipped")]) > 40
    assert result.summary()["failed"] == ["odd"]


def test_a_detector_under_the_name_of_ours_has_failed_and_ours_runs(install: Install) -> None:
    file = install(DETECTS.format(body="return Detection()"), {("detectors", "crisis"): "ODD"})

    result = audit()

    (run,) = result.failed
    assert run.detector == "crisis-of-odd-words"
    assert "the name is that of a built-in one" in run.why
    assert f"{file} line 9" in run.why
    assert [run.status for run in result.runs if run.detector == "crisis"] == ["ok"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            'return Detection([Finding(detector="crisis", severity=Severity.INFO, explanation="x", '
            'action="y")])',
            "a finding under the name of another detector, 'crisis'",
        ),
        ("return []", "a list was handed back, and no Detection"),
        ("return Detection(['x'])", "a str among the findings"),
        ("return Detection(figures={'x': float('nan')})", "not JSON compliant"),
        ("return Detection(figures={'x': {1}})", "set is not JSON serializable"),
        ("raise KeyError('x')", "KeyError: 'x'"),
    ],
)
def test_what_a_detector_must_not_hand_back_is_a_failure_that_names_it(
    install: Install, body: str, problem: str
) -> None:
    file = install(DETECTS.format(body=body), {("detectors", "odd"): "ODD"})

    run = failed()

    assert problem in run.why
    assert "of odd-words 1.0" in run.why
    assert str(file) in run.why
    assert not [finding for finding in audit().findings if finding.detector == "odd"]


def test_a_detector_that_raises_is_shown_with_its_line(install: Install) -> None:
    file = install(DETECTS.format(body="raise KeyError('x')"), {("detectors", "odd"): "ODD"})

    assert f"({file} line 7)" in failed().why


@pytest.mark.parametrize("value", ["ODD", "GONE", "detect"])
def test_a_detector_of_the_wrong_shape_has_failed(install: Install, value: str) -> None:
    code = "ODD = ('odd', print)\n\ndef detect(table, settings): ...\n"
    install(code, {("detectors", "odd"): value})

    assert failed().detector == "odd"


def test_two_packages_that_give_one_name_have_both_failed(install: Install) -> None:
    code = DETECTS.format(body="return Detection()")
    for name in ("odd-words", "other-words"):
        install(code, {("detectors", "odd"): "ODD"}, name=name)

    assert [run.detector for run in audit().failed] == ["odd", "odd-of-other-words"]
    assert "other-words 1.0 gives the same name" in audit().failed[0].why


def test_a_renamed_copy_of_a_package_is_not_taken_for_the_package(
    install: Install, tmp_path: Path
) -> None:
    install(DETECTS.format(body="return Detection()"), {("detectors", "odd"): "ODD"})
    info = tmp_path / "site-odd-words" / "odd_words-1.0.dist-info"
    copy = info.with_name("copied_words-1.0.dist-info")
    copy.mkdir()
    for file in info.iterdir():
        (copy / file.name).write_text(file.read_text().replace("odd-words", "copied-words"))

    assert "odd-words 1.0 gives the same name" in audit().failed[0].why


@pytest.mark.parametrize(
    ("group", "catalogue"),
    [
        ("sources", SOURCES),
        ("strategies", STRATEGIES),
        ("judges", JUDGES),
        ("export_formats", FORMATS),
    ],
)
class TestEveryCatalogue:
    """What holds for sources, strategies, judges and formats alike."""

    def test_an_error_on_import_names_entry_point_package_file_and_line(
        self, install: Install, group: str, catalogue: dict[str, object]
    ) -> None:
        file = install("raise RuntimeError('not today')\n", {(group, "odd"): "ODD"})

        with pytest.raises(ExtensionError, match=named(group) + "RuntimeError: not today") as error:
            catalogue["odd"]
        assert f"({file} line 1)\nMend that package" in str(error.value)

    def test_an_exit_on_import_is_an_error(
        self, install: Install, group: str, catalogue: dict[str, object]
    ) -> None:
        install("import sys\nsys.exit(0)\n", {(group, "odd"): "ODD"})

        with pytest.raises(ExtensionError, match=named(group) + "SystemExit: 0"):
            catalogue["odd"]

    def test_a_syntax_error_is_shown_with_its_line(
        self, install: Install, group: str, catalogue: dict[str, object]
    ) -> None:
        file = install("x = 1\nx = = 2\n", {(group, "odd"): "ODD"})

        with pytest.raises(ExtensionError, match=named(group) + "SyntaxError") as error:
            catalogue["odd"]
        assert f"({file} line 2)" in str(error.value)

    def test_what_is_not_asked_for_is_not_imported(
        self, install: Install, group: str, catalogue: dict[str, object]
    ) -> None:
        install("raise RuntimeError('not today')\n", {(group, "odd"): "ODD"})

        assert "odd" in catalogue
        assert catalogue[next(iter(catalogue))]

    def test_a_name_of_ours_is_refused(
        self, install: Install, group: str, catalogue: dict[str, object]
    ) -> None:
        ours = next(iter(catalogue))
        install("ODD = 1\n", {(group, ours): "ODD"})

        with pytest.raises(ExtensionError, match="the name is that of a built-in one"):
            catalogue[ours]

    def test_a_name_that_is_no_slug_is_refused(
        self, install: Install, group: str, catalogue: dict[str, object]
    ) -> None:
        install("ODD = 1\n", {(group, "Odd one"): "ODD"})

        with pytest.raises(ExtensionError, match="a name is lower-case letters, digits"):
            list(catalogue)

    def test_another_shape_is_refused_with_the_one_that_is_needed(
        self, install: Install, group: str, catalogue: dict[str, object]
    ) -> None:
        file = install("import math\nODD = 1\n", {(group, "odd"): "ODD"})

        with pytest.raises(ExtensionError, match=r"an? int, where a pipeline\.") as error:
            catalogue["odd"]
        assert f"({file} line 2)" in str(error.value)

    def test_an_unknown_name_lists_what_there_is(
        self, install: Install, group: str, catalogue: object
    ) -> None:
        install("ODD = 1\n", {(group, "odd"): "ODD"})

        with pytest.raises(PipelineError, match=r"thing 'gone': not known\nThere are: .*, odd"):
            catalogue.named("gone", what="thing")  # type: ignore[attr-defined]


SOURCE = """
from pipeline.records import Exchange, Lineage, RawLocation
from pipeline.sources.base import Source, Sourced

def read(path, options):
    {body}

def row(name):
    lineage = Lineage(source=name, licence="CC0-1.0", operation="ingest")
    raw = RawLocation(file="f", row=1)
    return Sourced(Exchange(id="e", dialogue_id="d", situation="", utterance="Hm.", raw=raw,
                            lineage=lineage), ())

ODD = Source(name="{name}", title="Odd", licence="CC0-1.0", citation="None", synthetic="none",
             read={read}, reference_responder="one")
"""


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('yield row("sample")', "e is of source 'sample'"),
        ("yield 7", "its reader yields a int"),
        ("yield 1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_source_that_yields_what_it_must_not_is_named(
    install: Install, body: str, problem: str
) -> None:
    code = SOURCE.format(body=body, name="odd", read="read")
    install(code, {("sources", "odd"): "ODD"})

    with pytest.raises(ExtensionError, match=named("sources") + f".*{problem}"):
        list(get_source("odd").read(Path("none"), ReadOptions(max_chars=9)))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "other"}, "it calls itself 'other'"),
        ({"read": "7"}, "its read is 7, which cannot be called"),
    ],
)
def test_a_source_of_the_wrong_shape_is_named(
    install: Install, changes: dict[str, str], problem: str
) -> None:
    code = SOURCE.format(**{"body": "yield", "name": "odd", "read": "read", **changes})
    install(code, {("sources", "odd"): "ODD"})

    with pytest.raises(ExtensionError, match=named("sources") + problem):
        get_source("odd")


async def test_a_strategy_that_returns_no_reply_is_named(install: Install) -> None:
    code = """
from pipeline.strategies import Strategy

async def ask(draft, chat):
    return "warm words"

ODD = Strategy(ask)
"""
    install(code, {("strategies", "odd"): "ODD"})

    with pytest.raises(ExtensionError, match=named("strategies") + ".*a str, and no Reply"):
        await STRATEGIES["odd"](DRAFT, ScriptedChat([]))


@pytest.mark.parametrize(
    ("verdicts", "problem"),
    [("[]", "0 verdicts on 1 contests"), ("[1.0]", "something else than verdicts")],
)
def test_a_judge_without_a_verdict_per_contest_is_named(
    install: Install, verdicts: str, problem: str
) -> None:
    code = f"""
from pipeline.evaluation.judge_kinds import JudgeKind

class Odd:
    name = "scorer"
    def judge(self, contests):
        return {verdicts}

ODD = JudgeKind("nothing", lambda inputs: Odd())
"""
    install(code, {("judges", "odd"): "ODD"})
    inputs = JudgeInputs(*[None] * 7)  # type: ignore[arg-type]

    judge = JUDGES["odd"].make(inputs)

    assert judge.name == "odd"
    with pytest.raises(ExtensionError, match=named("judges") + f".*{problem}"):
        judge.judge([contest("kind", "plain")])


def test_a_format_that_opens_no_sink_is_named(install: Install, tmp_path: Path) -> None:
    code = """
from pipeline.exports.formats import Format

ODD = Format(lambda folder, kind, split: 7, "Do not load it.")
"""
    install(code, {("export_formats", "odd"): "ODD"})

    with pytest.raises(ExtensionError, match=named("export_formats") + ".*a int, and no Sink"):
        FORMATS["odd"].open(tmp_path, "sft", "train")


def test_a_package_without_code_counts_too(install: Install) -> None:
    install("ODD = 1\n", {("sources", "odd"): "ODD"}).unlink()

    assert [(one.name, one.version) for one in distributions()] == [("odd-words", "1.0")]
