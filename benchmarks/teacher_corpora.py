"""Claim: all 19 corpora of the paper come out of the 2,000 real dialogues with the paper's counts.

Five direct corpora, seven of method 2 and seven of method 3, the last fourteen with the mock as
their teacher: 950 rows of method 2 make 1,900 examples, 800 make pairs; method 3 draws 950 and 800
by seed 42. Every improved row's lineage names its request, model, templates and parent response.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from benchmarks.harness import Measurement, data_folder, peak_mib, stopwatch
from pipeline.llm.role import LlmRole, Pace
from pipeline.params import Params, load_params
from pipeline.records import PreferencePair, Response, SFTExample
from pipeline.storage import count_rows, read_table
from pipeline.workspace import add_distillations
from tests.builds import build_corpora, distil_all, ingest_and_split, params_for
from tests.mock_endpoint import program


def run() -> list[Measurement]:
    """Build the 19 corpora against the mock and check counts and lineage."""
    raw = data_folder() / "welivita2024" / "dataset.csv"
    with tempfile.TemporaryDirectory() as scratch, program() as endpoint:
        folder = Path(scratch)
        os.environ["DISTILLERY_HOME"] = str(folder / "home")
        params = _params(raw, folder, endpoint.base_url)
        with stopwatch() as seconds:
            ingest_and_split(params, folder)
            distil_all(params, folder)
            build_corpora(params, folder)
        calls = endpoint.tally()["calls"]
        rows = sum(_check(folder / "datasets", name) for name in params.corpora)
    assert len(params.corpora) == 19
    return [
        Measurement(
            "teacher_corpora", seconds(), "s for 19 corpora", rows=rows, peak_mib=peak_mib()
        ),
        Measurement("teacher_corpora_calls", calls, "calls", rows=rows),
    ]


def _params(raw: Path, folder: Path, url: str) -> Params:
    params_for("welivita2024", raw, folder)
    add_distillations(folder / "params.yaml")
    params = load_params(folder / "params.yaml")
    teacher = LlmRole(
        engine="openai",
        base_url=url,
        model="mock",
        max_tokens=200,
        pace=Pace(concurrency=50),
    )
    llm = params.llm.model_copy(update={"teacher": teacher})
    distil = params.distil.model_copy(update={"limit": None})
    return params.model_copy(update={"llm": llm, "distil": distil})


def _check(datasets: Path, name: str) -> int:
    """Return the training rows of one corpus; raises AssertionError if they are not the paper's."""
    examples = count_rows(datasets / "sft" / f"{name}.parquet")
    pairs = count_rows(datasets / "preferences" / "strict" / f"{name}.parquet")
    if name.startswith("direct"):
        return examples + pairs
    assert (examples, pairs) == (1900, 800), (name, examples, pairs)
    written = {
        one.id: one
        for one in read_table(datasets / "responses" / f"{name}.parquet", Response)
        if one.responder == name
    }
    improved = 0
    for example in read_table(datasets / "sft" / f"{name}.parquet", SFTExample):
        if example.response_id in written:
            improved += 1
            _check_lineage(example, written[example.response_id])
    assert improved == 950
    for pair in read_table(datasets / "preferences" / "strict" / f"{name}.parquet", PreferencePair):
        _check_lineage(pair, written[pair.chosen_id])
        assert pair.rejected_id in pair.lineage.parents
    return examples + pairs


def _check_lineage(row: SFTExample | PreferencePair, response: Response) -> None:
    lineage = row.lineage
    assert lineage.request_id
    assert lineage.model == "mock"
    assert lineage.teacher_prompt_id
    assert "@" in lineage.teacher_prompt_id
    assert any(parent.startswith("response-") for parent in response.lineage.parents)
