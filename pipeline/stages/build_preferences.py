"""Stage `build_preferences`: one corpus of preference pairs, under both filters."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from pipeline.corpora.candidates import read_candidates
from pipeline.corpora.conversation import PromptParams
from pipeline.corpora.params import Corpus, DirectCorpus, RespondersParams
from pipeline.corpora.preference import FILTERS, PairFilter, direct_pairs
from pipeline.progress import track
from pipeline.records import PreferencePair, Rejection
from pipeline.storage import TableWriter


def run(
    corpus: Corpus,
    responders: RespondersParams,
    prompt: PromptParams,
    *,
    exchanges: Path,
    responses: Path,
    splits: Path,
    strict: Path,
    authors: Path,
    rejections: Path,
) -> None:
    """Write the pairs that each filter keeps, and every other candidate with its reason.

    Both are always built, so that a study can train on either without another run.
    """
    outs: dict[PairFilter, Path] = {"strict": strict, "authors": authors}
    teachers = corpus.teachers if isinstance(corpus, DirectCorpus) else ()
    with ExitStack() as stack:
        kept = {
            name: stack.enter_context(TableWriter(path, PreferencePair))
            for name, path in outs.items()
        }
        dropped = stack.enter_context(TableWriter(rejections, Rejection))
        for candidate in track(read_candidates(exchanges, responses, splits), "building pairs"):
            for name in FILTERS:
                for row in direct_pairs(
                    candidate,
                    reference=responders.reference_responder,
                    teachers=teachers,
                    pair_filter=name,
                    prompt=prompt,
                ):
                    if isinstance(row, Rejection):
                        dropped.write(row)
                    else:
                        kept[name].write(row)
