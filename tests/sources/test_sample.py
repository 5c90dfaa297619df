"""The reader of the embedded sample: the file is ours, so anything odd in it is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import RowError
from pipeline.sources.sample import SAMPLE
from tests.builds import read, write_jsonl


def line(number: int = 1, **changed: object) -> dict[str, object]:
    answer = {
        "responder": "listener_a",
        "style": "brief",
        "rating": 2,
        "sentences": ["Oh no.", "What now?"],
        "codes": ["Support", "Open Question"],
    }
    return {
        "id": f"sample-{number}",
        "emotion": "sad",
        "situation": "The bakery burned down.",
        "utterance": f"I cannot look at it, day {number}.",
        "responses": [answer | changed.pop("response", {})],  # type: ignore[operator]
        **changed,
    }


def test_sentences_are_joined_and_keep_their_codes(tmp_path: Path) -> None:
    (item,) = read(SAMPLE, write_jsonl(tmp_path / "sample.jsonl", [line()]))

    assert item.responses[0].text == "Oh no. What now?"
    assert [code.value for code in item.responses[0].codes] == ["Support", "Open Question"]
    assert item.responses[0].style == "brief"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"response": {"rating": 4}}, "rating"),
        ({"response": {"rating": "good"}}, "rating"),
        ({"response": {"codes": ["Support"]}}, "1 codes for 2 sentences"),
        ({"response": {"codes": ["Support", "Scold"]}}, "codes"),
        ({"response": {"style": "grim"}}, "style"),
        ({"utterance": " "}, "utterance"),
        ({"utterance": "half \ud83d"}, "utterance"),
        ({"mood": "low"}, "mood: Extra inputs"),
        ({"responses": []}, "responses"),
    ],
)
def test_what_is_odd_is_named_with_its_row(
    tmp_path: Path, changed: dict[str, object], problem: str
) -> None:
    path = write_jsonl(tmp_path / "sample.jsonl", [line(1), line(2, **changed)])

    with pytest.raises(RowError, match=rf"sample\.jsonl row 2: .*{problem}"):
        read(SAMPLE, path)


def test_an_id_that_comes_twice_is_named_with_its_row(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "sample.jsonl", [line(1), line(2), line(1)])

    with pytest.raises(RowError, match=r"row 3: id sample-1 is there a second time"):
        read(SAMPLE, path)
