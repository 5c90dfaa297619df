"""Whole conversations become one exchange per listener turn, from either shape of the corpus."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import RowError, TableError
from pipeline.records import Rejection, Turn
from pipeline.sources.base import Sourced
from pipeline.sources.empathetic_dialogues import EMPATHETIC_DIALOGUES
from tests.builds import kept, read, write_csv

HEADER = "conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags\n"
QUILT = "hit:0_conv:1"
# An odd quotation mark, as in the release, which quotes nothing.
UPSTREAM = (
    HEADER
    + f'{QUILT},1,proud,Quilted_comma_ at last.,1,It took "nine years_comma_ really.,5|5,\n'
    + f"{QUILT},2,proud,Quilted_comma_ at last.,2,Nine years! Where is it now?,5|5,\n"
    + f"{QUILT},3,proud,Quilted_comma_ at last.,1,On my bed.,5|5,\n"
    + f"{QUILT},4,proud,Quilted_comma_ at last.,2,Sleep well in it.,5|5,\n"
    + "hit:0_conv:2,1,sad,The cat ran off.,1,She has been gone since Monday.,5|5,\n"
)


def _turn(
    dialogue: str, kind: str, actor: str, text: str, emotion: str = "sad"
) -> dict[str, object]:
    return {
        "Dialog_ID": dialogue,
        "Type": kind,
        "Actor": actor,
        "Text": text,
        "Label": "",
        "emotion": emotion,
    }


QUILT_TABLE = [
    _turn(QUILT, "situation", "speaker", "Quilted, at last.", "proud"),
    _turn(QUILT, "utterance", "speaker", 'It took "nine years, really.', "proud"),
    _turn(QUILT, "utterance", "listener", "Nine years! Where is it now?", "proud"),
    _turn(QUILT, "utterance", "speaker", "On my bed.", "proud"),
    _turn(QUILT, "utterance", "listener", "Sleep well in it.", "proud"),
    _turn("hit:0_conv:2", "situation", "speaker", "The cat ran off."),
    _turn("hit:0_conv:2", "utterance", "speaker", "She has been gone since Monday."),
]


def _upstream(tmp_path: Path, content: str = UPSTREAM) -> Path:
    path = tmp_path / "train.csv"
    path.write_text(content, encoding="utf-8")
    return path


def _archive(tmp_path: Path, files: dict[str, str]) -> Path:
    path = tmp_path / "empatheticdialogues.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"empatheticdialogues/{name}")
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))
    return path


def _table(tmp_path: Path, rows: Sequence[dict[str, object]]) -> Path:
    return write_csv(tmp_path / "dialogues.csv", rows)


def _dialogue(items: Sequence[Sourced]) -> list[tuple[object, ...]]:
    return [
        (
            one.exchange.id,
            one.exchange.situation,
            one.exchange.emotion,
            one.exchange.history,
            one.exchange.utterance,
            one.responses[0].text,
        )
        for one in items
    ]


def test_each_answer_of_the_listener_is_an_exchange(tmp_path: Path) -> None:
    first, second = kept(read(EMPATHETIC_DIALOGUES, _upstream(tmp_path)))

    assert (first.exchange.utterance, first.exchange.history) == (
        'It took "nine years, really.',
        (),
    )
    assert first.responses[0].text == "Nine years! Where is it now?"
    assert second.exchange.utterance == "On my bed."
    assert second.exchange.history == (
        Turn(role="speaker", text='It took "nine years, really.'),
        Turn(role="listener", text="Nine years! Where is it now?"),
    )


def test_exchanges_of_a_dialogue_share_its_id_and_situation(tmp_path: Path) -> None:
    items = kept(read(EMPATHETIC_DIALOGUES, _upstream(tmp_path)))

    assert {one.exchange.dialogue_id for one in items} == {QUILT}
    assert {one.exchange.situation for one in items} == {"Quilted, at last."}
    assert {one.exchange.collection_id for one in items} == {"hit:0"}


def test_both_shapes_give_the_same_exchanges(tmp_path: Path) -> None:
    upstream = kept(read(EMPATHETIC_DIALOGUES, _upstream(tmp_path)))
    table = kept(read(EMPATHETIC_DIALOGUES, _table(tmp_path, QUILT_TABLE)))

    assert _dialogue(upstream) == _dialogue(table)


def test_the_parquet_shape_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dialogues.parquet"
    pq.write_table(pa.Table.from_pylist(QUILT_TABLE), path)

    assert _dialogue(kept(read(EMPATHETIC_DIALOGUES, path))) == _dialogue(
        kept(read(EMPATHETIC_DIALOGUES, _table(tmp_path, QUILT_TABLE)))
    )


def test_the_release_archive_is_read_with_the_names_of_its_files(tmp_path: Path) -> None:
    other = UPSTREAM.replace("hit:0", "hit:9")
    path = _archive(tmp_path, {"train.csv": other, "test.csv": UPSTREAM, "README": "nothing"})

    items = kept(read(EMPATHETIC_DIALOGUES, path))

    assert [(one.exchange.raw.file, one.exchange.raw.row) for one in items] == [
        ("empatheticdialogues/test.csv", 1),
        ("empatheticdialogues/test.csv", 1),
        ("empatheticdialogues/train.csv", 1),
        ("empatheticdialogues/train.csv", 1),
    ]


def test_nobody_rated_the_responses(tmp_path: Path) -> None:
    items = kept(read(EMPATHETIC_DIALOGUES, _upstream(tmp_path)))

    assert {(one.responses[0].rating, one.responses[0].rater) for one in items} == {(None, None)}


def test_a_dialogue_without_an_answer_is_a_rejection(tmp_path: Path) -> None:
    items = read(EMPATHETIC_DIALOGUES, _upstream(tmp_path))

    assert [one.reason for one in items if isinstance(one, Rejection)] == ["no_listener_turn"]


def test_two_turns_of_one_person_in_a_row_are_one(tmp_path: Path) -> None:
    rows = [
        _turn("d", "utterance", "speaker", "Well."),
        _turn("d", "utterance", "speaker", "It rained."),
        _turn("d", "utterance", "listener", "All day?"),
    ]

    (item,) = kept(read(EMPATHETIC_DIALOGUES, _table(tmp_path, rows)))

    assert item.exchange.utterance == "Well.\nIt rained."


def test_the_situation_may_come_after_the_first_turn(tmp_path: Path) -> None:
    rows = [QUILT_TABLE[1], QUILT_TABLE[0], *QUILT_TABLE[2:5]]

    items = kept(read(EMPATHETIC_DIALOGUES, _table(tmp_path, rows)))

    assert {one.exchange.situation for one in items} == {"Quilted, at last."}


def test_an_empty_turn_is_passed_over(tmp_path: Path) -> None:
    rows = [*QUILT_TABLE[:2], _turn(QUILT, "utterance", "listener", " "), *QUILT_TABLE[2:5]]

    items = kept(read(EMPATHETIC_DIALOGUES, _table(tmp_path, rows)))

    assert [one.responses[0].text for one in items] == [
        "Nine years! Where is it now?",
        "Sleep well in it.",
    ]


def test_a_dialogue_that_comes_back_later_is_named_with_its_row(tmp_path: Path) -> None:
    path = _table(tmp_path, [*QUILT_TABLE, *QUILT_TABLE[1:3]])

    with pytest.raises(
        RowError, match=r"dialogues\.csv row 8: dialogue id hit:0_conv:1 comes back"
    ):
        read(EMPATHETIC_DIALOGUES, path)


def test_a_dialogue_in_two_files_of_the_archive_is_named(tmp_path: Path) -> None:
    path = _archive(tmp_path, {"train.csv": UPSTREAM, "test.csv": UPSTREAM})

    with pytest.raises(RowError, match="dialogue id hit:0_conv:1 comes back"):
        read(EMPATHETIC_DIALOGUES, path)


def test_an_unknown_actor_is_named_with_its_row(tmp_path: Path) -> None:
    path = _table(tmp_path, [*QUILT_TABLE[:2], _turn(QUILT, "utterance", "narrator", "Later,")])

    with pytest.raises(RowError, match=r"row 3: Actor is 'narrator'"):
        read(EMPATHETIC_DIALOGUES, path)


def test_a_row_without_a_dialogue_is_named(tmp_path: Path) -> None:
    with pytest.raises(RowError, match="row 2: Dialog_ID is empty"):
        read(
            EMPATHETIC_DIALOGUES,
            _table(tmp_path, [QUILT_TABLE[0], _turn("", "utterance", "speaker", "Hm.")]),
        )


def test_a_release_row_without_a_dialogue_is_named(tmp_path: Path) -> None:
    path = _upstream(tmp_path, UPSTREAM.replace("hit:0_conv:2,", ","))

    with pytest.raises(RowError, match=r"train\.csv row 5: conv_id is empty"):
        read(EMPATHETIC_DIALOGUES, path)


@pytest.mark.parametrize("number", ["", "one", "-1", "²"])
def test_a_turn_without_a_number_is_named_with_its_row(tmp_path: Path, number: str) -> None:
    path = _upstream(tmp_path, UPSTREAM.replace(f"{QUILT},2,", f"{QUILT},{number},"))

    with pytest.raises(RowError, match=rf"train\.csv row 2: utterance_idx is '{number}'"):
        read(EMPATHETIC_DIALOGUES, path)


def test_a_cut_short_release_file_is_named_with_its_row(tmp_path: Path) -> None:
    path = _upstream(tmp_path, UPSTREAM[:-60])

    with pytest.raises(RowError, match=r"train\.csv row 5: \d fields where the header has 8"):
        read(EMPATHETIC_DIALOGUES, path)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.6, 0.95])
def test_a_truncated_archive_is_an_error_that_names_it(tmp_path: Path, share: float) -> None:
    noise = "".join(f"hit:{n}_conv:{n},1,sad,{n * 7919},1,{n**5}.,5|5,\n" for n in range(3000))
    path = _archive(tmp_path, {"train.csv": HEADER + noise})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])

    with pytest.raises(TableError, match=r"empatheticdialogues\.tar\.gz: not a whole archive"):
        read(EMPATHETIC_DIALOGUES, path)


def test_a_damaged_archive_is_an_error_that_names_it(tmp_path: Path) -> None:
    noise = "".join(f"hit:{n}_conv:{n},1,sad,{n * 7919},1,{n**5}.,5|5,\n" for n in range(3000))
    path = _archive(tmp_path, {"train.csv": HEADER + noise})
    content = bytearray(path.read_bytes())
    content[5000:5200] = bytes(200)
    path.write_bytes(content)

    with pytest.raises(TableError, match=r"empatheticdialogues\.tar\.gz: not a whole archive"):
        read(EMPATHETIC_DIALOGUES, path)


def test_an_unusable_text_rejects_the_dialogue_and_no_other(tmp_path: Path) -> None:
    bell = [
        _turn("hit:5_conv:5", "utterance", "speaker", "ring \x07"),
        _turn("hit:5_conv:5", "utterance", "listener", "What?"),
    ]

    items = read(EMPATHETIC_DIALOGUES, _table(tmp_path, [*bell, *QUILT_TABLE[:5]]))

    assert [one.reason for one in items if isinstance(one, Rejection)] == ["control_character"]
    assert len(kept(items)) == 2


def test_dialogue_ids_that_are_numbers_are_read(tmp_path: Path) -> None:
    path = tmp_path / "dialogues.parquet"
    rows = [row | {"Dialog_ID": 7, "emotion": 3} for row in QUILT_TABLE[:5]]
    pq.write_table(pa.Table.from_pylist(rows), path)

    items = kept(read(EMPATHETIC_DIALOGUES, path))

    assert {(one.exchange.dialogue_id, one.exchange.emotion) for one in items} == {("7", "3")}
