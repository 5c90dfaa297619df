from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pipeline.audit.safety import personal_data
from pipeline.audit.settings import AuditSettings
from pipeline.workspace import PROJECT
from tests.audit.tables import replies, table


def test_the_recognisers_come_without_spacy_and_torch() -> None:
    code = (
        "import sys; from pipeline.audit.presidio import pattern_recognizers as p;"
        "assert p(); print([m for m in ('spacy', 'torch') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "evidence"),
    [
        ("Write to jane.roe@mailbox.org today.", "jane.roe@mailbox.org"),
        ("Ring me on (212) 736-5000 tonight.", "(212) 736-5000"),
        ("The card is 4111 1111 1111 1111 now.", "4111 1111 1111 1111"),
    ],
)
def test_personal_data_is_shown_where_it_stands(words: str, evidence: str) -> None:
    (finding,) = personal_data(table(replies(words)), AuditSettings()).findings

    assert finding.evidence == evidence


@pytest.mark.parametrize(
    "words",
    [
        "I was born in 1984 and paid 12,500 dollars.",
        "The hotline is 1-800-273-8255, please ring.",
        "he left.so I cried",
    ],
)
def test_years_prices_and_hotlines_are_no_personal_data(words: str) -> None:
    assert personal_data(table(replies(words)), AuditSettings()).findings == []
