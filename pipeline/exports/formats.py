"""The formats. To add one: a function that opens its sinks, and a line in `BUILT_IN`.

A format decides what a row looks like and which files tell its trainer so; rows keep their ids in
all of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.exports.sinks import JsonLines, ParquetShards, Row, Sheet, Sink
from pipeline.exports.tables import Kind
from pipeline.extensions import Catalogue, blamed
from pipeline.records import SplitName

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Part:
    """The rows of one kind and split, and the files they are in, relative to the export."""

    corpus: str
    kind: Kind
    split: SplitName
    rows: int
    files: tuple[str, ...]

    @property
    def config(self) -> str:
        """The kind as a name that every tool takes."""
        return self.kind.replace("-", "_")


@dataclass(frozen=True)
class Format:
    """`open` gives the sink of one kind and split; `describe` adds the files about the files.

    `loading` is Markdown for the reader of the export: how to load it, and how an id travels.
    `configs` says whether the Hub finds the files by the card's `configs`.
    """

    open: Callable[[Path, Kind, SplitName], Sink]
    loading: str
    describe: Callable[[Path, Sequence[Part]], None] | None = None
    configs: bool = False


def configs(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Return the `configs` of the card's YAML: one per kind, with the files of each split."""
    return [
        {
            "config_name": name,
            "data_files": [
                {"split": part.split, "path": f"data/{name}/{part.split}-*.parquet"}
                for part in parts
                if part.config == name
            ],
        }
        for name in dict.fromkeys(part.config for part in parts)
    ]


def _open_shards(
    columns: Callable[[Kind, pa.RecordBatch], pa.Table], folder: Path, kind: Kind, split: SplitName
) -> Sink:
    stem = folder / "data" / kind.replace("-", "_") / split
    return ParquetShards(stem, partial(columns, kind))


def _all_columns(kind: Kind, batch: pa.RecordBatch) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_batches([batch])


def _trl_columns(kind: Kind, batch: pa.RecordBatch) -> pa.Table:
    """Return TRL's columns; a supervised row is cut before its last message.

    TRL computes the loss on a `completion` alone, but on all of `messages`, the prompt included.
    """
    import numpy as np
    import pyarrow as pa

    if kind != "sft":
        return pa.Table.from_batches([batch.select(["id", "prompt", "chosen", "rejected"])])
    messages = batch["messages"].flatten()
    ends = np.cumsum(batch["messages"].value_lengths().to_numpy())
    count = len(ends)
    in_prompt = np.ones(len(messages), dtype=bool)
    in_prompt[ends - 1] = False
    prompt_ends = np.concatenate(([0], ends - np.arange(1, count + 1)))
    return pa.table(
        {
            "id": batch["id"],
            "prompt": pa.ListArray.from_arrays(
                pa.array(prompt_ends, pa.int32()), messages.filter(pa.array(in_prompt))
            ),
            "completion": pa.ListArray.from_arrays(
                pa.array(np.arange(count + 1), pa.int32()), messages.filter(pa.array(~in_prompt))
            ),
        }
    )


def _open_lines(
    lines: Callable[[Kind, Row], Row],
    folder: Path,
    kind: Kind,
    split: SplitName,
    *,
    with_ids: bool = False,
    max_bytes: int | None = None,
) -> Sink:
    path = folder / f"{kind}-{split}.jsonl"
    return JsonLines(path, partial(lines, kind), with_ids=with_ids, max_bytes=max_bytes)


_SHAREGPT_ROLES = {"system": "system", "user": "human", "assistant": "gpt"}


def _sharegpt(kind: Kind, row: Row) -> Row:
    def turn(message: Row) -> Row:
        return {"from": _SHAREGPT_ROLES[message["role"]], "value": message["content"]}

    if kind == "sft":
        return {"id": row["id"], "conversations": [turn(one) for one in row["messages"]]}
    return {
        "id": row["id"],
        "conversations": [turn(one) for one in row["prompt"]],
        "chosen": turn(row["chosen"][0]),
        "rejected": turn(row["rejected"][0]),
    }


def _describe_for_llama_factory(folder: Path, parts: Sequence[Part]) -> None:
    entries: dict[str, Any] = {}
    for part in parts:
        columns = {"messages": "conversations"}
        if part.kind != "sft":
            columns |= {"chosen": "chosen", "rejected": "rejected"}
        name = f"{part.corpus}_{part.config}_{part.split}".replace("-", "_")
        entries[name] = {
            "file_name": part.files[0],
            "formatting": "sharegpt",
            **({} if part.kind == "sft" else {"ranking": True}),
            "columns": columns,
            "tags": {
                "role_tag": "from",
                "content_tag": "value",
                "user_tag": "human",
                "assistant_tag": "gpt",
                "system_tag": "system",
            },
        }
    _write(folder / "dataset_info.json", json.dumps(entries, indent=2) + "\n")


def _axolotl(kind: Kind, row: Row) -> Row:
    if kind == "sft":
        return {"id": row["id"], "messages": row["messages"]}
    return {
        "id": row["id"],
        "messages": row["prompt"],
        "chosen": row["chosen"][0],
        "rejected": row["rejected"][0],
    }


def _describe_for_axolotl(folder: Path, parts: Sequence[Part]) -> None:
    """Write one configuration per kind, to be joined with that of the model."""
    from pipeline.yaml_files import format_yaml

    for kind in dict.fromkeys(part.kind for part in parts):
        entry: dict[str, Any] = {
            "ds_type": "json",
            "type": "chat_template" if kind == "sft" else "chat_template.default",
            "field_messages": "messages",
            "message_property_mappings": {"role": "role", "content": "content"},
        }
        if kind == "sft":
            entry |= {"roles_to_train": ["assistant"], "train_on_eos": "turn"}
        else:
            entry |= {"field_chosen": "chosen", "field_rejected": "rejected"}
        sides = {
            "datasets" if part.split == "train" else "test_datasets": [
                {"path": part.files[0], "split": "train", **entry}
            ]
            for part in parts
            if part.kind == kind and part.split != "dev"
        }
        config = {**({} if kind == "sft" else {"rl": "dpo"}), **sides}
        _write(folder / f"{kind}.yaml", format_yaml(config))


# https://platform.openai.com/docs/api-reference/files/create
OPENAI_MAX_BYTES = 512_000_000


def _openai(kind: Kind, row: Row) -> Row:
    if kind == "sft":
        return {"messages": row["messages"]}
    return {
        "input": {"messages": row["prompt"]},
        "preferred_output": row["chosen"],
        "non_preferred_output": row["rejected"],
    }


_FROM = ("source", "licence", "model")
_SFT_COLUMNS = ("id", "exchange_id", "response_id", "earlier_turns", "prompt", "response", *_FROM)
_PAIR_COLUMNS = (
    *("id", "exchange_id", "chosen_id", "rejected_id", "earlier_turns", "prompt"),
    *("chosen", "rejected", "chosen_rating", "rejected_rating", *_FROM),
)


def _open_sheet(folder: Path, kind: Kind, split: SplitName) -> Sink:
    columns = _SFT_COLUMNS if kind == "sft" else _PAIR_COLUMNS
    return Sheet(folder / f"{kind}-{split}.csv", columns, partial(_cells, kind))


def _cells(kind: Kind, row: Row) -> Row:
    prompt = row["messages"][:-1] if kind == "sft" else row["prompt"]
    earlier = json.dumps(prompt[:-1], ensure_ascii=False) if prompt[:-1] else ""
    origin = {name: row["lineage"][name] for name in _FROM}
    cells = {**row, **origin, "earlier_turns": earlier, "prompt": prompt[-1]["content"]}
    if kind == "sft":
        return {**cells, "response": row["messages"][-1]["content"]}
    return {
        **cells,
        "chosen": row["chosen"][0]["content"],
        "rejected": row["rejected"][0]["content"],
    }


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


BUILT_IN: dict[str, Format] = {
    "hf": Format(
        partial(_open_shards, _all_columns),
        "`datasets.load_dataset(FOLDER, CONFIG)` gives the splits. All columns are there; `id` is "
        "the row's id.",
        configs=True,
    ),
    "trl": Format(
        partial(_open_shards, _trl_columns),
        "`datasets.load_dataset(FOLDER, CONFIG)` gives what TRL's trainers take as it is: `prompt` "
        "and `completion` for `SFTTrainer`, `prompt`, `chosen` and `rejected` for `DPOTrainer`. "
        "`id` is the row's id; trainers pass over it.",
        configs=True,
    ),
    "llama-factory": Format(
        partial(_open_lines, _sharegpt),
        "Pass `--dataset_dir FOLDER --dataset NAME`, a NAME of `dataset_info.json`. Conversations "
        "are ShareGPT's; pairs are marked `ranking`. `id` is the row's id; LLaMA-Factory passes "
        "over it.",
        _describe_for_llama_factory,
    ),
    "axolotl": Format(
        partial(_open_lines, _axolotl),
        "Join `sft.yaml` or `preferences-….yaml` with the configuration of your model, and run "
        "axolotl in this folder. `id` is the row's id; axolotl passes over it.",
        _describe_for_axolotl,
    ),
    "openai-finetune": Format(
        partial(_open_lines, _openai, with_ids=True, max_bytes=OPENAI_MAX_BYTES),
        "Upload a `.jsonl` file that is not called `.ids.jsonl`; supervised rows are for method "
        "`supervised`, pairs for `dpo`. The provider takes files of at most "
        f"{OPENAI_MAX_BYTES // 1_000_000} MB: a larger table is cut into numbered files, "
        "`…-00000-of-00002.jsonl` and on. The format has no place for an id: line by line they are "
        "in `<file>.ids.jsonl`, with the SHA-256 of the line, so that "
        "`distillery explain FILE:LINE` finds the id after a rename or a shuffle as well.",
    ),
    "csv": Format(
        _open_sheet,
        "UTF-8 with a mark at the start, every cell quoted. A cell that a spreadsheet would "
        "evaluate, or that begins with an apostrophe, has one apostrophe more before it: take one "
        "away from every cell that begins with one to get the text back. `earlier_turns` is the "
        "JSON of the messages before the prompt, empty where there are none. `id` is the row's id.",
    ),
}


def _guarded(entry: EntryPoint, format_: Format) -> Format:
    """Return a format that says whose it is when it fails to open or to describe."""

    def open_sink(folder: Path, kind: Kind, split: SplitName) -> Sink:
        with blamed(entry):
            sink = format_.open(folder, kind, split)
            if not isinstance(sink, Sink):
                raise TypeError(f"it opens a {type(sink).__name__}, and no Sink")
            return sink

    def describe(folder: Path, parts: Sequence[Part]) -> None:
        with blamed(entry):
            if format_.describe is not None:
                format_.describe(folder, parts)

    return replace(format_, open=open_sink, describe=describe)


FORMATS = Catalogue("export_formats", Format, BUILT_IN, guard=_guarded)
