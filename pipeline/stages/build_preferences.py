"""Stage `build_preferences`: one corpus of preference pairs, under both filters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from pipeline.corpora.candidates import Candidate, read_candidates
from pipeline.corpora.conversation import PromptParams
from pipeline.corpora.improved import human_pairs, llm_pairs, supervised_ids
from pipeline.corpora.params import (
    Corpus,
    DirectCorpus,
    HumanCorpus,
    LlmCorpus,
    RespondersParams,
)
from pipeline.corpora.preference import FILTERS, PairFilter, direct_pairs
from pipeline.declare import In, Item, Out, Stage
from pipeline.progress import track
from pipeline.records import Exchange, PreferencePair, Rejection, Response, SplitAssignment
from pipeline.storage import TableWriter, together

DAG = Stage(each="corpora")


@together()
def run(
    corpus: Item[Corpus],
    responders: RespondersParams,
    prompt: PromptParams,
    *,
    seed: int,
    exchanges: In[Exchange],
    responses: In[Response],
    splits: In[SplitAssignment],
    strict: Out[PreferencePair],
    authors: Out[PreferencePair],
    rejections: Out[Rejection],
) -> None:
    """Write the pairs that each filter keeps, and every other candidate with its reason.

    Both are always built, so that a study can train on either without another run.
    """
    outs: dict[PairFilter, Path] = {"strict": strict, "authors": authors}
    supervised = supervised_ids(corpus, seed, exchanges, responses, splits)
    with ExitStack() as stack:
        kept = {
            name: stack.enter_context(TableWriter(path, PreferencePair))
            for name, path in outs.items()
        }
        dropped = stack.enter_context(TableWriter(rejections, Rejection))
        for candidate in track(read_candidates(exchanges, responses, splits), "building pairs"):
            for name in FILTERS:
                for row in _rows(candidate, corpus, responders, prompt, name, supervised):
                    if isinstance(row, Rejection):
                        dropped.write(row)
                    else:
                        kept[name].write(row)


def _rows(
    candidate: Candidate,
    corpus: Corpus,
    responders: RespondersParams,
    prompt: PromptParams,
    pair_filter: PairFilter,
    supervised: frozenset[str],
) -> Iterator[PreferencePair | Rejection]:
    reference = responders.reference_responder
    if isinstance(corpus, HumanCorpus):
        return human_pairs(
            candidate, corpus, reference=reference, pair_filter=pair_filter, prompt=prompt
        )
    if isinstance(corpus, LlmCorpus):
        return llm_pairs(
            candidate,
            corpus,
            supervised=supervised,
            reference=reference,
            pair_filter=pair_filter,
            prompt=prompt,
        )
    return direct_pairs(
        candidate,
        reference=reference,
        teachers=corpus.teachers if isinstance(corpus, DirectCorpus) else (),
        pair_filter=pair_filter,
        prompt=prompt,
    )
