"""Guidelines, sentences, indices and pseudonyms."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from pipeline.annotation.guidelines import ARGILLA_MAX_CHARS, load_guidelines
from pipeline.annotation.indices import miti_style_indices
from pipeline.annotation.marks import codes_by_sentence
from pipeline.annotation.pseudonyms import Pseudonyms
from pipeline.annotation.questions import CODES, EMPATHY, QUESTIONS
from pipeline.errors import PipelineError
from pipeline.records import BehaviourCode

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "annotations" / "guidelines"
TEXT = "I'm so sorry. What happened? Take your time!"


def test_every_code_has_a_definition_two_examples_and_a_near_miss() -> None:
    text = (FOLDER / "behaviour_codes.md").read_text()

    for code in BehaviourCode:
        section = re.search(rf"^### {re.escape(code)}\n(.*?)(?=^###|\Z)", text, re.M | re.S)
        assert section, code
        assert len(re.findall(r'^- "', section[1], re.M)) == 2, code
        assert section[1].count("- Near miss:") == 1, code


def test_the_version_follows_the_text(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "book")
    before = load_guidelines(tmp_path / "book").version
    crisis = tmp_path / "book" / "crisis.md"
    crisis.write_text(crisis.read_text() + "One more rule.\n")

    after = load_guidelines(tmp_path / "book").version

    assert before == load_guidelines(FOLDER).version
    assert before.split("+")[0] == after.split("+")[0]
    assert before != after


def test_annotators_of_responses_see_every_code_whole() -> None:
    shown = load_guidelines(FOLDER).shown("responses")
    book = (FOLDER / "behaviour_codes.md").read_text().split("---\n", 2)[2].strip()

    assert book in shown
    assert len(shown) <= ARGILLA_MAX_CHARS
    assert shown.endswith("there is more: annotations/guidelines/miti_mapping.md.)\n")


def test_annotators_of_pairs_see_what_concerns_pairs() -> None:
    shown = load_guidelines(FOLDER).shown("pairs")

    assert "## Which response is better" in shown
    assert "# Crisis content" in shown
    assert "### Confront" not in shown
    assert "behaviour_codes.md, annotations/guidelines/miti_mapping.md" in shown


def test_a_definition_is_never_cut(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "book")
    crisis = tmp_path / "book" / "crisis.md"
    crisis.write_text(crisis.read_text() + "More.\n" * 200)

    with pytest.raises(PipelineError, match="characters together, and Argilla takes 10,000"):
        load_guidelines(tmp_path / "book").shown("responses")


def test_files_of_different_versions_are_an_error(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "book")
    crisis = tmp_path / "book" / "crisis.md"
    crisis.write_text(crisis.read_text().replace("version: 1.1.0", "version: 1.2.0"))

    with pytest.raises(PipelineError, match=r"more than one version .*crisis 1\.2\.0"):
        load_guidelines(tmp_path / "book")


def test_a_mark_counts_for_the_sentences_that_it_covers_half() -> None:
    marks = [(0, 13, "Support"), (15, 18, "Open Question"), (24, 44, "Direct")]

    assert codes_by_sentence(TEXT, marks) == [("Support",), ("Open Question",), ("Direct",)]


def test_indices_follow_miti_4_and_report_direct_and_warn_apart() -> None:
    code = BehaviourCode
    indices = miti_style_indices(
        [
            code.SIMPLE_REFLECTION,
            code.COMPLEX_REFLECTION,
            code.COMPLEX_REFLECTION,
            code.OPEN_QUESTION,
            code.CLOSED_QUESTION,
            code.AFFIRM,
            code.EMPHASIZE_AUTONOMY,
            code.CONFRONT,
            code.ADVISE_WITHOUT_PERMISSION,
            code.ADVISE_WITH_PERMISSION,
            code.DIRECT,
            code.WARN,
            code.SUPPORT,
        ]
    )

    assert indices.percent_complex == pytest.approx(200 / 3)
    assert indices.reflections_per_question == pytest.approx(1.5)
    assert (indices.mi_adherent, indices.mi_non_adherent) == (2, 2)
    assert (indices.direct_or_warn, indices.uncoded) == (2, 1)


def test_an_index_with_nothing_to_divide_by_is_none_and_never_zero() -> None:
    indices = miti_style_indices([BehaviourCode.AFFIRM])

    assert indices.percent_complex is None
    assert indices.reflections_per_question is None


def test_a_pseudonym_depends_on_the_key_and_stays_itself() -> None:
    ours, theirs = Pseudonyms(b"ours"), Pseudonyms(b"theirs")

    assert ours("ann") == ours("ann") != theirs("ann")
    assert ours(ours("ann")) == ours("ann")
    assert "ann" not in ours("ann")[2:]


def test_questions_refuse_what_is_no_answer() -> None:
    EMPATHY.check(3)
    CODES.check(("Affirm",))
    with pytest.raises(PipelineError, match="question empathy: 4 is no answer"):
        EMPATHY.check(4)
    with pytest.raises(PipelineError, match="question codes: 'Affirm' is no answer"):
        CODES.check("Affirm")
    assert set(QUESTIONS) >= {"empathy", "cognitive", "codes", "better", "safety", "comment"}
