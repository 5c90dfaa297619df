from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.features.sentences import split_sentences
from pipeline.studies.scoring.data import COPIED, read_pairs


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("That hurts. Did it help to leave?", 2),
        ("Oh no!! What now?", 2),
        ("I see... it was a long day.", 1),
        ("Ask Dr. Moss about it.", 1),
        ('"Never again." Was that it?', 2),
        ("no end mark", 1),
        ("   ", 0),
    ],
)
def test_sentences_are_counted_as_a_reader_would(text: str, count: int) -> None:
    assert len(split_sentences(text)) == count


def test_published_code_lists_have_as_many_codes_as_we_find_sentences(data_dir: Path) -> None:
    met: dict[str, list[bool]] = {}
    for _, one in read_pairs(data_dir):
        if one.codes is not None:
            same = len(split_sentences(one.text)) == len(one.codes)
            met.setdefault(one.responder, []).append(same)

    assert np.mean(met["human"] + met["chatgpt"]) >= 0.97
    # The copied column's codes are those of other texts.
    assert np.mean(met[COPIED]) < 0.6
