from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import MissingFileError, PipelineError, RowError
from pipeline.records import PreferencePair, Rejection
from studies.reward.preference_sets import PAIR_SOURCES, read_preference_set

ASKED = "\n\nHuman: hello there\n\nAssistant: hi\n\nHuman: may i ask?\n\nAssistant:"


def _hh(folder: Path, *lines: dict[str, object]) -> Path:
    path = folder / "pairs.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in lines), encoding="utf-8")
    return path


def _json(folder: Path, name: str, rows: object) -> Path:
    (folder / name).write_text(json.dumps(rows), encoding="utf-8")
    return folder / name


def test_a_dialogue_becomes_a_prompt_of_alternating_turns(tmp_path: Path) -> None:
    path = _hh(tmp_path, {"chosen": f"{ASKED} of course", "rejected": f"{ASKED} no"})

    (pair,) = read_preference_set("hh_rlhf", path)

    assert isinstance(pair, PreferencePair)
    assert [one.role for one in pair.prompt] == ["user", "assistant", "user"]
    assert (pair.chosen[0].content, pair.rejected[0].content) == ("of course", "no")
    assert pair.lineage.licence == "MIT"


def test_pairs_of_one_first_turn_belong_together(tmp_path: Path) -> None:
    path = _hh(
        tmp_path,
        {"chosen": f"{ASKED} of course", "rejected": f"{ASKED} no"},
        {
            "chosen": "\n\nHuman: hello there\n\nAssistant: hi",
            "rejected": "\n\nHuman: hello there\n\nAssistant: what",
        },
    )

    first, second = read_preference_set("hh_rlhf", path)

    assert isinstance(first, PreferencePair)
    assert isinstance(second, PreferencePair)
    assert first.exchange_id == second.exchange_id
    assert first.id != second.id


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"chosen": f"{ASKED} yes", "rejected": f"{ASKED} yes"}, "identical_sides"),
        ({"chosen": f"{ASKED} yes", "rejected": f"{ASKED} "}, "empty_turn"),
        (
            {"chosen": f"{ASKED} yes", "rejected": "\n\nHuman: a\n\nAssistant: b"},
            "different_prompts",
        ),
        ({"chosen": f"{ASKED} yes", "rejected": "\n\nAssistant: b"}, "turns_do_not_alternate"),
    ],
)
def test_what_makes_no_pair_is_a_rejection(
    tmp_path: Path, line: dict[str, object], reason: str
) -> None:
    (found,) = read_preference_set("hh_rlhf", _hh(tmp_path, line))

    assert isinstance(found, Rejection)
    assert found.reason == reason


def test_a_repeated_pair_is_a_rejection(tmp_path: Path) -> None:
    line = {"chosen": f"{ASKED} of course", "rejected": f"{ASKED} no"}

    _, again = read_preference_set("hh_rlhf", _hh(tmp_path, line, line))

    assert isinstance(again, Rejection)
    assert again.reason == "repeated_pair"


def test_a_line_without_a_side_names_its_row(tmp_path: Path) -> None:
    with pytest.raises(RowError, match=r"row 1: no text rejected"):
        list(read_preference_set("hh_rlhf", _hh(tmp_path, {"chosen": ASKED})))


def test_llmbar_takes_its_own_files_and_the_label(tmp_path: Path) -> None:
    row = {"input": "do it", "output_1": "done", "output_2": "no", "label": 2}
    _json(tmp_path, "LLMBar_Natural.json", [row])
    _json(tmp_path, "Processed_Other.json", [row])

    (pair,) = read_preference_set("llmbar", tmp_path)

    assert isinstance(pair, PreferencePair)
    assert pair.chosen[0].content == "no"


def test_llmbars_label_must_be_a_side(tmp_path: Path) -> None:
    row = {"input": "do it", "output_1": "done", "output_2": "no", "label": 3}

    with pytest.raises(RowError, match="label is 3"):
        list(read_preference_set("llmbar", _json(tmp_path, "LLMBar_X.json", [row])))


def test_an_empty_folder_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"LLMBar_\*\.json"):
        list(read_preference_set("llmbar", tmp_path))


@pytest.mark.parametrize(
    ("votes", "chosen"), [((1, 1, 2), "one"), ((2, 2, 0), "two"), ((0, 0, 1), None)]
)
def test_pandalm_takes_the_majority(
    tmp_path: Path, votes: tuple[int, int, int], chosen: str | None
) -> None:
    row = {"instruction": "say", "input": "", "response1": "one", "response2": "two"}
    row |= {f"annotator{number}": vote for number, vote in enumerate(votes, start=1)}  # type: ignore[misc]

    (found,) = read_preference_set("pandalm", _json(tmp_path, "test.json", [row]))

    if isinstance(found, PreferencePair):
        assert found.chosen[0].content == chosen
    else:
        assert (found.reason, chosen) == ("no_majority", None)


def test_an_unknown_set_lists_the_known() -> None:
    with pytest.raises(PipelineError, match="hh_rlhf, llmbar, pandalm"):
        list(read_preference_set("webgpt", Path("none")))


def test_the_real_sets_hold_the_known_numbers_of_pairs(data_dir: Path) -> None:
    paths = {
        "hh_rlhf": "hh_rlhf/harmless-base-first1500.jsonl",
        "llmbar": "llmbar",
        "pandalm": "pandalm/testset-v1-first600.json",
    }

    found = {
        name: sum(
            isinstance(row, PreferencePair) for row in read_preference_set(name, data_dir / path)
        )
        for name, path in paths.items()
    }

    assert found == {"hh_rlhf": 1492, "llmbar": 419, "pandalm": 442}
    assert set(PAIR_SOURCES) == set(found)
