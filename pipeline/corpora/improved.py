"""Corpora of improved responses (Xie et al. 2025, methods 2 and 3).

Method 2 splits by rating: a reference response rated good is a target beside its better version, a
weaker one is the rejected side. Method 3 splits at random: of the teacher's first responses some
are targets beside their better versions, the others rejected sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.corpora.candidates import Candidate, read_candidates
from pipeline.corpora.conversation import PromptParams
from pipeline.corpora.params import Corpus, HumanCorpus, LlmCorpus
from pipeline.corpora.preference import STAGE as PAIR_STAGE
from pipeline.corpora.preference import PairFilter, preference_pair
from pipeline.corpora.sft import GOOD, sft_example
from pipeline.corpora.sft import STAGE as SFT_STAGE
from pipeline.records import PreferencePair, Rejection, Response, SFTExample, content_id


def human_examples(
    candidate: Candidate, corpus: HumanCorpus, *, reference: str, prompt: PromptParams
) -> Iterator[SFTExample | Rejection]:
    """Yield the reference response and its better version, where the former is rated good."""
    original = candidate.responses.get(reference)
    improved = candidate.responses.get(corpus.responses)
    reason = _why_not_human(original, improved)
    if original is not None and original.rating not in (None, GOOD):
        reason = "reference_not_good"
    yield from _examples(candidate, original, improved, reason, prompt=prompt)


def human_pairs(
    candidate: Candidate,
    corpus: HumanCorpus,
    *,
    reference: str,
    pair_filter: PairFilter,
    prompt: PromptParams,
) -> Iterator[PreferencePair | Rejection]:
    """Yield the better version over the reference response, where the latter is rated 1 or 2."""
    original = candidate.responses.get(reference)
    improved = candidate.responses.get(corpus.responses)
    reason = _why_not_human(original, improved)
    if original is not None and original.rating == GOOD:
        reason = "reference_is_good"
    yield _pair(candidate, original, improved, reason, pair_filter=pair_filter, prompt=prompt)


def draw_supervised(exchange_ids: Sequence[str], share: float, *, seed: int) -> frozenset[str]:
    """Return the ids of the exchanges whose responses become supervised rows of method 3.

    The draw is pandas' `DataFrame.sample(random_state=seed)`, which the published code uses: the
    same rows in the same order of exchanges.
    """
    import numpy as np

    count = round(share * len(exchange_ids))
    drawn = np.random.RandomState(seed).choice(len(exchange_ids), size=count, replace=False)
    return frozenset(exchange_ids[int(at)] for at in drawn)


def supervised_ids(
    corpus: Corpus, seed: int, exchanges: Path, responses: Path, splits: Path
) -> frozenset[str]:
    """Return the train exchanges that method 3 draws for supervision; none for other methods.

    All of them are drawn from, answered or not, so a rejection moves no other exchange.
    """
    if not isinstance(corpus, LlmCorpus):
        return frozenset()
    candidates = read_candidates(exchanges, responses, splits)
    ids = [candidate.exchange.id for candidate in candidates]
    return draw_supervised(ids, corpus.sft_share, seed=seed)


def llm_examples(
    candidate: Candidate,
    corpus: LlmCorpus,
    *,
    supervised: frozenset[str],
    reference: str,
    prompt: PromptParams,
) -> Iterator[SFTExample | Rejection]:
    """Yield the first response and its better version, where the exchange was drawn."""
    authors = corpus.m3_rejected == "authors"
    first, improved = _llm_sides(candidate, corpus, reference if authors else corpus.initial)
    reason = _why_not_llm(candidate, first, improved)
    if candidate.exchange.id not in supervised:
        reason = "drawn_for_pairs"
    targets = None if corpus.m3_sft_targets == "both" else improved
    yield from _examples(candidate, first, improved, reason, prompt=prompt, only=targets)


def llm_pairs(
    candidate: Candidate,
    corpus: LlmCorpus,
    *,
    supervised: frozenset[str],
    reference: str,
    pair_filter: PairFilter,
    prompt: PromptParams,
) -> Iterator[PreferencePair | Rejection]:
    """Yield the better version over the first response, where the exchange was not drawn."""
    authors = corpus.m3_rejected == "authors" and pair_filter == "authors"
    first, improved = _llm_sides(candidate, corpus, reference if authors else corpus.initial)
    reason = _why_not_llm(candidate, first, improved)
    if candidate.exchange.id in supervised:
        reason = "drawn_for_sft"
    yield _pair(candidate, first, improved, reason, pair_filter=pair_filter, prompt=prompt)


def _llm_sides(
    candidate: Candidate, corpus: LlmCorpus, first: str
) -> tuple[Response | None, Response | None]:
    return candidate.responses.get(first), candidate.responses.get(corpus.responses)


def _why_not_human(original: Response | None, improved: Response | None) -> str | None:
    if original is None:
        return "not_distilled"
    if original.rating is None:
        return "reference_not_rated"
    return "no_improved_response" if improved is None else _why_same(original, improved)


def _why_not_llm(
    candidate: Candidate, first: Response | None, improved: Response | None
) -> str | None:
    if not candidate.responses:
        return "not_distilled"
    if first is None:
        return "no_first_response"
    return "no_improved_response" if improved is None else _why_same(first, improved)


def _why_same(one: Response, other: Response) -> str | None:
    return "identical_sides" if one.text.strip() == other.text.strip() else None


def _examples(
    candidate: Candidate,
    first: Response | None,
    improved: Response | None,
    reason: str | None,
    *,
    prompt: PromptParams,
    only: Response | None = None,
) -> Iterator[SFTExample | Rejection]:
    sides = [side for side in (first, improved) if side is not None]
    if reason is not None:
        yield Rejection(
            record_id=content_id("sft-row", candidate.exchange.id, *(side.id for side in sides)),
            stage=SFT_STAGE,
            reason=reason,
            parents=(candidate.exchange.id, *(side.id for side in sides)),
        )
        return
    for target in sides if only is None else [only]:
        yield sft_example(candidate, target, parents=sides, prompt=prompt)


def _pair(
    candidate: Candidate,
    rejected: Response | None,
    chosen: Response | None,
    reason: str | None,
    *,
    pair_filter: PairFilter,
    prompt: PromptParams,
) -> PreferencePair | Rejection:
    if reason is None and rejected is not None and chosen is not None:
        return preference_pair(candidate, chosen=chosen, rejected=rejected, prompt=prompt)
    sides = [side for side in (chosen, rejected) if side is not None]
    return Rejection(
        record_id=content_id("pair-row", candidate.exchange.id, *(side.id for side in sides)),
        stage=f"{PAIR_STAGE}:{pair_filter}",
        reason=str(reason),
        detail=", ".join(f"{one.responder} rated {one.rating}" for one in sides if one.rating),
        parents=(candidate.exchange.id, *(side.id for side in sides)),
    )
