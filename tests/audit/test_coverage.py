from __future__ import annotations

import pytest

from pipeline.audit.coverage import (
    coverage_cells,
    flesch,
    lexical_diversity,
    mtld,
    self_bleu,
)
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import Text
from tests.audit.tables import table

# 13 words, 2 sentences, 15 vowel runs of which none is silent.
PLAIN = "The cat sat on the mat. Then it ran to my old dog."


def test_mtld_is_low_for_repeated_words_and_the_length_for_fresh_ones() -> None:
    assert mtld(["a"] * 20) == 2.0
    assert mtld([str(n) for n in range(50)]) == 50.0


def test_self_bleu_is_1_for_equal_texts_and_near_0_for_unlike_ones() -> None:
    one = ["I", "hear", "how", "hard", "this", "week", "has", "been"]

    assert self_bleu([one, one, one]) == 1.0
    assert self_bleu([one, ["quiet", "rivers", "run", "past", "green", "old", "stones"]]) < 0.05


def test_a_title_or_a_pause_ends_no_sentence_for_flesch() -> None:
    assert flesch("I saw Dr. Moss... it went well.") == flesch("I saw Dr Moss it went well.")


def test_flesch_follows_the_formula_of_1948() -> None:
    assert flesch(PLAIN) == pytest.approx(206.835 - 1.015 * 13 / 2 - 84.6 * 13 / 13)


def test_thin_cells_are_named() -> None:
    texts = [
        Text(str(n), "I hear you now " * (1 + n % 2), "a", emotion="sad", responder="human")
        for n in range(20)
    ]
    texts.append(Text("20", "I hear you now " * 2, "a", emotion="glad", responder="human"))

    named = {one.evidence for one in coverage_cells(table(texts), AuditSettings()).findings}

    assert named == {"glad x - x short x human", "glad x - x long x human"}


def test_diversity_is_compared_on_equal_amounts_of_text() -> None:
    texts = [
        Text(f"{who}{n}", f"{who} hears you say {n} today", "a", responder=who)
        for who, count in (("human", 60), ("gpt", 600))
        for n in range(count)
    ]

    figures = lexical_diversity(table(texts), AuditSettings()).figures["by_responder"]

    assert isinstance(figures, dict)
    assert {one["texts"] for one in figures.values()} == {60}  # type: ignore[index,call-overload]
