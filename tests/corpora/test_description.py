from __future__ import annotations

from pathlib import Path

from pipeline.corpora.description import Origins, describe_pairs, describe_sft
from pipeline.records import PreferencePair, SFTExample
from pipeline.storage import file_sha256, read_json, read_table, write_table


def origins_of(build: Path) -> Origins:
    datasets = build / "datasets"
    return Origins.read(
        datasets / "exchanges.parquet",
        datasets / "splits.parquet",
        sorted((datasets / "responses").glob("*.parquet")),
    )


def test_the_figures_are_those_of_the_rows(sample_build: Path) -> None:
    path = sample_build / "datasets/sft/direct-all_together.parquet"
    rows = list(read_table(path, SFTExample))

    found = describe_sft(path, origins_of(sample_build))

    lengths = sorted(len(row.messages[-1].content.split()) for row in rows)
    assert found["rows"] == len(rows) == sum(found["emotions"].values())
    assert found["splits"] == {"train": len(rows)}
    assert (found["words"]["response"]["p0"], found["words"]["response"]["p100"]) == (
        lengths[0],
        lengths[-1],
    )
    assert set(found["responders"]["response"]) == {"listener_a", "listener_b", "listener_c"}
    assert found["sha256"] == file_sha256(path)


def test_pairs_say_who_stands_on_which_side(sample_build: Path) -> None:
    path = sample_build / "datasets/preferences/strict/direct-listener_b.parquet"
    rows = list(read_table(path, PreferencePair))
    longer = [
        len(row.chosen[0].content.split()) > len(row.rejected[0].content.split()) for row in rows
    ]

    found = describe_pairs(path, origins_of(sample_build))

    assert found["responders"] == {
        "chosen": {"listener_b": len(rows)},
        "rejected": {"listener_a": len(rows)},
    }
    assert found["chosen_is_longer"] == sum(longer)


def test_an_empty_table_is_described(tmp_path: Path) -> None:
    write_table(tmp_path / "none.parquet", PreferencePair, [])

    found = describe_pairs(tmp_path / "none.parquet", Origins({}, {}, {}))

    assert (found["rows"], found["emotions"], found["words"]) == (0, {}, {})


def test_the_same_counts_as_count_corpora(sample_build: Path) -> None:
    counts = read_json(sample_build / "reports/metrics/corpora.json")["corpora"]
    found = describe_sft(
        sample_build / "datasets/sft/direct-listener_c.parquet", origins_of(sample_build)
    )

    assert found["rows"] == counts["direct-listener_c"]["strict"]["sft_examples"]
