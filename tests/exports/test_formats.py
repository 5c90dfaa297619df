"""Each format gives back what went in, and is what its trainer documents."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pipeline.exports.sinks import line_sha256
from pipeline.records import PreferencePair, SFTExample
from pipeline.storage import read_table
from tests.exports.corpus import CORPUS, TEST, export_small

SCHEMAS = Path(__file__).parent / "schemas"
Row = dict[str, Any]
# Of a row: id, prompt messages, the answer, and the worse answer of a pair.
Plain = tuple[str, list[Row], str, str | None]


def built(build: Path, kind: str, split: str) -> list[Plain]:
    """Return the rows of a kind and split as the build holds them."""
    on_test_side = split == "test"
    datasets = build / "datasets"
    if kind == "sft":
        examples = read_table(datasets / "sft" / f"{CORPUS}.parquet", SFTExample)
        return [
            (one.id, [m.model_dump() for m in one.messages[:-1]], one.messages[-1].content, None)
            for one in examples
            if (one.exchange_id == TEST) == on_test_side
        ]
    path = datasets / "preferences" / kind.removeprefix("preferences-") / f"{CORPUS}.parquet"
    return [
        (
            one.id,
            [m.model_dump() for m in one.prompt],
            one.chosen[0].content,
            one.rejected[0].content,
        )
        for one in read_table(path, PreferencePair)
        if (one.exchange_id == TEST) == on_test_side
    ]


def from_hub_folder(folder: Path, kind: str, split: str, cache: Path) -> list[Plain]:
    from datasets import load_dataset

    rows = load_dataset(str(folder), kind.replace("-", "_"), split=split, cache_dir=str(cache))
    return [_plain(row) for row in rows]


def _plain(row: Row) -> Plain:
    if "messages" in row:
        return row["id"], row["messages"][:-1], row["messages"][-1]["content"], None
    if "completion" in row:
        return row["id"], row["prompt"], row["completion"][0]["content"], None
    return row["id"], row["prompt"], row["chosen"][0]["content"], row["rejected"][0]["content"]


def json_lines(path: Path) -> list[Row]:
    # Not splitlines: a text may hold a line separator that is no end of a line here.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def from_sharegpt(folder: Path, kind: str, split: str, _: Path) -> list[Plain]:
    roles = {"human": "user", "gpt": "assistant"}
    found: list[Plain] = []
    info = json.loads((folder / "dataset_info.json").read_text())
    entry = info[f"{CORPUS}_{kind}_{split}".replace("-", "_")]
    assert entry.get("ranking", False) == (kind != "sft")
    for row in json_lines(folder / entry["file_name"]):
        turns = [{"role": roles[t["from"]], "content": t["value"]} for t in row["conversations"]]
        if kind == "sft":
            found.append((row["id"], turns[:-1], turns[-1]["content"], None))
        else:
            found.append((row["id"], turns, row["chosen"]["value"], row["rejected"]["value"]))
    return found


def from_axolotl(folder: Path, kind: str, split: str, _: Path) -> list[Plain]:
    config = yaml.safe_load((folder / f"{kind}.yaml").read_text())
    assert config.get("rl") == (None if kind == "sft" else "dpo")
    (entry,) = config["datasets" if split == "train" else "test_datasets"]
    rows = json_lines(folder / entry["path"])
    if kind == "sft":
        return [_plain(row) for row in rows]
    return [
        (
            row["id"],
            row[entry["field_messages"]],
            row[entry["field_chosen"]]["content"],
            row[entry["field_rejected"]]["content"],
        )
        for row in rows
    ]


def from_openai(folder: Path, kind: str, split: str, _: Path) -> list[Plain]:
    path = folder / f"{kind}-{split}.jsonl"
    lines = [line for line in path.read_text(encoding="utf-8").split("\n") if line]
    ids = {one["sha256"]: one["id"] for one in json_lines(path.with_suffix(".ids.jsonl"))}
    found = []
    for line in lines:
        row = json.loads(line)
        if kind != "sft":
            row = {
                "prompt": row["input"]["messages"],
                "chosen": row["preferred_output"],
                "rejected": row["non_preferred_output"],
            }
        found.append(_plain({"id": ids[line_sha256(line)], **row}))
    return found


def from_csv(folder: Path, kind: str, split: str, _: Path) -> list[Plain]:
    def text(cell: str) -> str:
        return cell.removeprefix("'")

    found: list[Plain] = []
    path = folder / f"{kind}-{split}.csv"
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            earlier = json.loads(text(row["earlier_turns"]) or "[]")
            prompt = [*earlier, {"role": "user", "content": text(row["prompt"])}]
            worse = None if kind == "sft" else text(row["rejected"])
            better = row["response"] if kind == "sft" else row["chosen"]
            found.append((row["id"], prompt, text(better), worse))
    return found


READERS: dict[str, Callable[[Path, str, str, Path], list[Plain]]] = {
    "hf": from_hub_folder,
    "trl": from_hub_folder,
    "llama-factory": from_sharegpt,
    "axolotl": from_axolotl,
    "openai-finetune": from_openai,
    "csv": from_csv,
}


@pytest.mark.parametrize("name", READERS)
def test_every_row_comes_back_with_its_id_on_its_side_of_the_split(
    build: Path, tmp_path: Path, name: str
) -> None:
    exported = export_small(build, tmp_path / "out", name)

    for part in exported.parts:
        rows = built(build, part.kind, part.split)
        assert READERS[name](tmp_path / "out", part.kind, part.split, tmp_path / "cache") == rows
        assert part.rows == len(rows) > 0
    assert {part.split for part in exported.parts} == {"train", "test"}
    assert len(exported.parts) == 6


@pytest.mark.parametrize("name", ["llama-factory", "axolotl", "openai-finetune"])
def test_every_line_is_what_the_trainer_documents(build: Path, tmp_path: Path, name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    export_small(build, tmp_path / "out", name)

    files = [one for one in (tmp_path / "out").glob("*.jsonl") if ".ids." not in one.name]
    lines = [line for file in files for line in json_lines(file)]

    assert len(files) == 6
    for line in lines:
        jsonschema.validate(line, schema)


def test_dataset_info_is_what_llama_factory_documents(build: Path, tmp_path: Path) -> None:
    schema = json.loads((SCHEMAS / "llama-factory-dataset-info.json").read_text())
    export_small(build, tmp_path / "out", "llama-factory")

    jsonschema.validate(json.loads((tmp_path / "out/dataset_info.json").read_text()), schema)


def test_turns_for_llama_factory_alternate_and_end_as_its_converter_wants(
    build: Path, tmp_path: Path
) -> None:
    export_small(build, tmp_path / "out", "llama-factory")

    for file in (tmp_path / "out").glob("*.jsonl"):
        for row in json_lines(file):
            roles = [turn["from"] for turn in row["conversations"]]
            assert roles == (["human", "gpt"] * len(roles))[: len(roles)]
            assert len(roles) % 2 == (1 if "chosen" in row else 0)


def test_the_hub_export_keeps_every_column(build: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    export_small(build, tmp_path / "out", "hf")
    rows = load_dataset(str(tmp_path / "out"), "sft", split="train", cache_dir=str(tmp_path / "c"))

    first = next(read_table(build / "datasets/sft" / f"{CORPUS}.parquet", SFTExample))
    assert SFTExample.model_validate(rows[0]) == first
