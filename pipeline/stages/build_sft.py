"""Stage `build_sft`: one supervised corpus from the train exchanges."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.corpora.candidates import Candidate, read_candidates
from pipeline.corpora.conversation import PromptParams
from pipeline.corpora.improved import human_examples, llm_examples, supervised_ids
from pipeline.corpora.params import (
    Corpus,
    DirectCorpus,
    HumanCorpus,
    LlmCorpus,
    RespondersParams,
)
from pipeline.corpora.sft import direct_examples, reference_examples
from pipeline.declare import In, Item, Out, Stage
from pipeline.progress import track
from pipeline.records import Exchange, Rejection, Response, SFTExample, SplitAssignment
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
    out: Out[SFTExample],
    rejections: Out[Rejection],
) -> None:
    """Write the corpus's examples to `out` and what did not become one to `rejections`."""
    supervised = supervised_ids(corpus, seed, exchanges, responses, splits)
    with TableWriter(out, SFTExample) as kept, TableWriter(rejections, Rejection) as dropped:
        for candidate in track(read_candidates(exchanges, responses, splits), "building SFT rows"):
            for row in _rows(candidate, corpus, responders, prompt, supervised):
                if isinstance(row, Rejection):
                    dropped.write(row)
                else:
                    kept.write(row)


def _rows(
    candidate: Candidate,
    corpus: Corpus,
    responders: RespondersParams,
    prompt: PromptParams,
    supervised: frozenset[str],
) -> Iterator[SFTExample | Rejection]:
    reference = responders.reference_responder
    if isinstance(corpus, DirectCorpus):
        return direct_examples(
            candidate, reference=reference, teachers=corpus.teachers, prompt=prompt
        )
    if isinstance(corpus, HumanCorpus):
        return human_examples(candidate, corpus, reference=reference, prompt=prompt)
    if isinstance(corpus, LlmCorpus):
        return llm_examples(
            candidate, corpus, supervised=supervised, reference=reference, prompt=prompt
        )
    return reference_examples(candidate, reference=reference, prompt=prompt)
