"""A build of one small corpus with both sides of the split, for exports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.exports.export import Exported, export_corpora
from pipeline.exports.tables import Kind
from pipeline.records import PreferencePair, SFTExample, SplitAssignment
from pipeline.storage import write_table
from tests.examples import INGESTED, message

CORPUS = "direct-small"
HOSTILE = '=HYPERLINK("http://127.0.0.1/x","you")'
TEXTS = (
    "I am sorry.",
    HOSTILE,
    "  -1 is how I feel,\n\"really\",\r\nand 'so' on",
    "'quoted already",
    "🙂 Ünïcödé \u2028 </script>",
)
TRAIN, TEST = "exchange-train", "exchange-test"


def small_build(folder: Path, *, licence: str = "CC0-1.0", empty: Sequence[Kind] = ()) -> Path:
    """Write a build whose every odd row is of a test exchange; return `folder`."""
    datasets = folder / "datasets"
    lineage = INGESTED.model_copy(update={"licence": licence, "parents": (TRAIN,)})
    sft, pairs = [], []
    for number, text in enumerate(TEXTS):
        exchange = TEST if number % 2 else TRAIN
        earlier = [message("user", "Hi."), message("assistant", "Hello!")] if number == 2 else []
        prompt = (*earlier, message("user", f"{text} (what I said)"))
        answer = message("assistant", text)
        sft.append(
            SFTExample(
                id=f"sft-{number}",
                messages=(*prompt, answer),
                exchange_id=exchange,
                response_id=f"response-{number}",
                lineage=lineage,
            )
        )
        pairs.append(
            PreferencePair(
                id=f"pair-{number}",
                prompt=prompt,
                chosen=(answer,),
                rejected=(message("assistant", "Whatever."),),
                exchange_id=exchange,
                chosen_id=f"response-{number}",
                rejected_id="response-x",
                chosen_rating=3,
                rejected_rating=None,
                lineage=lineage,
            )
        )
    file = f"{CORPUS}.parquet"
    write_table(datasets / "sft" / file, SFTExample, [] if "sft" in empty else sft)
    for name in ("strict", "authors"):
        rows = [] if f"preferences-{name}" in empty else pairs
        write_table(datasets / "preferences" / name / file, PreferencePair, rows)
    assigned = [
        SplitAssignment(exchange_id=TRAIN, split="train", group="a", rule="made"),
        SplitAssignment(exchange_id=TEST, split="test", group="b", rule="made"),
    ]
    write_table(datasets / "splits.parquet", SplitAssignment, assigned)
    return folder


def plain_card(exported: Exported, configs: list[dict[str, Any]] | None) -> str:
    """Return a card of two lines: the real one is tested where it is written."""
    import yaml

    front = yaml.safe_dump({"license": "cc0-1.0", **({"configs": configs} if configs else {})})
    return f"---\n{front}---\n\n# {exported.corpus}\n"


def export_small(build: Path, out: Path, format_name: str, **options: Any) -> Exported:
    """Export the small corpus."""
    (exported,) = export_corpora(
        build, [CORPUS], out, format_name=format_name, card=plain_card, **options
    )
    return exported


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return sorted(path.name for path in folder.iterdir())
