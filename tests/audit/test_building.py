from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipeline.audit.building import read_table
from pipeline.audit.chats import Chat, split_chat
from pipeline.audit.roles import Roles, TextColumn
from pipeline.errors import TableError


def jsonl(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_rows_without_an_id_are_numbered_from_0(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", {"text": "I hear you."}, {"text": "Me too, friend."})

    assert [text.row_id for text in read_table(path).texts] == ["0", "1"]


def test_ids_that_repeat_are_not_used(tmp_path: Path) -> None:
    row = {"id": "x", "text": "I hear you."}
    table = read_table(jsonl(tmp_path / "a.jsonl", row, row))

    assert [text.row_id for text in table.texts] == ["0", "1"]
    assert "not unique" in table.notes[0]


def test_a_wide_row_becomes_one_text_per_responder(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "a.jsonl",
        {
            "dialog_id": "d7",
            "speaker_uttr": "I lost my job today.",
            "response_human": "That is a lot to carry.",
            "rating_human": 3,
            "annotator_human": "A1B2",
            "response_gpt": "I am sorry to hear it.",
            "rating_gpt": 1,
            "annotator_gpt": "C3D4",
        },
    )

    heard = {text.responder: text for text in read_table(path).listener_texts}

    assert set(heard) == {"human", "gpt"}
    assert heard["gpt"].row_id == heard["human"].row_id == "d7"
    assert (heard["gpt"].rating, heard["gpt"].prompt) == (1.0, "I lost my job today.")


def test_a_rater_id_never_enters_the_table(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", {"text": "I hear you.", "rating": 2, "rater": "A1B2C3"})

    (text,) = read_table(path).texts

    assert re.fullmatch(r"r-[0-9a-f]{12}", str(text.rater))
    assert "A1B2C3" not in repr(read_table(path).texts)


def test_turns_are_told_apart_by_who_speaks(tmp_path: Path) -> None:
    turns = [
        {"role": "system", "content": "Listen."},
        {"role": "user", "content": "I failed again."},
        {"role": "assistant", "content": "That stings."},
    ]
    said, heard = read_table(jsonl(tmp_path / "a.jsonl", {"messages": turns})).texts

    assert (said.speaks, heard.speaks) == ("speaker", "listener")
    assert heard.prompt == "I failed again."


def test_a_transcript_is_split_into_prompt_and_last_reply() -> None:
    chat = split_chat("\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: d")

    assert chat == Chat(reply="d", before="Human: a\n\nAssistant: b\n\nHuman: c", said="c")


def test_a_reply_in_a_list_of_messages_answers_the_speakers_last_turn(tmp_path: Path) -> None:
    asked, again = "Why does nobody call me back?", "It has been three weeks now."
    chosen = [
        {"role": "user", "content": asked},
        {"role": "assistant", "content": "How long has it been?"},
        {"role": "user", "content": again},
        {"role": "assistant", "content": "Three weeks is long to wait."},
    ]
    rejected = [*chosen[:-1], {"role": "assistant", "content": again}]

    table = read_table(jsonl(tmp_path / "a.jsonl", {"chosen": chosen, "rejected": rejected}))

    replies = [text for text in table.texts if text.speaks == "listener"]
    assert [(text.text, text.prompt) for text in replies] == [
        ("Three weeks is long to wait.", again),
        (again, again),
    ]
    assert asked in table.pairs[0].prompt


def test_what_all_prompts_share_is_taken_off(tmp_path: Path) -> None:
    frame = "You are a kind listener. Answer in one sentence. Speaker: {} End of the prompt."
    rows: list[dict[str, object]] = [
        {"prompt": frame.format(f"{chr(97 + n)} is my trouble {n}"), "response": f"I hear {n}."}
        for n in range(25)
    ]

    table = read_table(jsonl(tmp_path / "a.jsonl", *rows))

    assert table.listener_texts[0].prompt == "a is my trouble 0"


def test_a_wrong_column_name_is_an_error_that_names_a_near_one(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", {"response": "I hear you."})

    with pytest.raises(TableError, match="Was 'response' meant"):
        read_table(path, Roles(texts=(TextColumn("respons"),)))
