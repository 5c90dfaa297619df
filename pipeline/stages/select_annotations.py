"""Stage `select_annotations`: which responses people should label next."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

from pydantic import Field

from pipeline.annotation.rounds import read_round, resolve, round_files
from pipeline.annotation.routing import (
    Candidate,
    Pick,
    RoutingPlan,
    route,
    share_evenly,
    signal_counts,
)
from pipeline.config import Section
from pipeline.declare import Folder, In, Metrics, Out, Table
from pipeline.features.table import read_features
from pipeline.records import Response, Selected, SplitAssignment, Suggestion
from pipeline.sources.rows import iter_parquet
from pipeline.storage import read_json_lines, read_table, write_json, write_table
from pipeline.text.words import count_words


class SelectAnnotationsParams(Section):
    """Section `select_annotations` of params.yaml.

    Shares are of the budget. `findings_share` bounds what the audit's findings may take,
    `random_share` is the floor that is drawn at random from every stratum, `uncertainty_share` goes
    to what scorers are unsure of or differ on, `diversity_share` to what lies farthest from
    all that is picked, and what is left is random again. `overlap_share` of the items is labelled
    by `overlap_annotators` people; `blind_share` shows no suggestion.
    """

    budget: int = Field(gt=0, description="items")
    findings_share: float = Field(ge=0, le=1)
    random_share: float = Field(ge=0, le=1)
    uncertainty_share: float = Field(ge=0, le=1)
    diversity_share: float = Field(ge=0, le=1)
    overlap_share: float = Field(ge=0, le=1)
    overlap_annotators: int = Field(ge=2, description="people")
    blind_share: float = Field(ge=0, le=1)


def run(
    params: SelectAnnotationsParams,
    *,
    seed: int,
    responses: In[Response],
    splits: In[SplitAssignment],
    rounds: In[Folder],
    out: Out[Selected],
    metrics: Metrics,
    scores: In[Suggestion] | None = None,
    findings: In[Folder] | None = None,
    features: In[Table] | None = None,
) -> None:
    """Write the picked responses, and what they were picked for.

    Only train exchanges are candidates, and only responses that no person has labelled. `scores`
    (suggestions in JSON Lines, several agents allowed), `findings` (a folder of the audit's
    findings.parquet) and `features` (for diversity, by the response's embedding) are used where
    they are there; otherwise the metrics say "not available".
    """
    plan = RoutingPlan(**params.model_dump(), seed=seed)
    done = _labelled(rounds)
    candidates = [
        one
        for one in _candidates(responses, splits, scores, findings, features)
        if one.item_id not in done
    ]
    picks = route(candidates, plan)
    overlap = share_evenly(picks, plan.overlap_share, seed)
    blind = share_evenly(picks, plan.blind_share, seed + 1)
    rows = [
        _selected(pick, rank, plan, overlap=overlap, blind=blind)
        for rank, pick in enumerate(picks, start=1)
    ]
    write_table(out, Selected, rows)
    write_json(
        metrics,
        {
            "candidates": len(candidates),
            "labelled_already": len(done),
            "selected": len(rows),
            "reasons": dict(sorted(Counter(row.reason for row in rows).items())),
            "responders": dict(sorted(Counter(row.responder for row in rows).items())),
            "labelled_by_several": sum(row.annotators_wanted > 1 for row in rows),
            "blind": sum(row.blind for row in rows),
            "signals": dict(signal_counts(candidates)),
        },
    )


def _selected(
    pick: Pick, rank: int, plan: RoutingPlan, *, overlap: set[str], blind: set[str]
) -> Selected:
    one = pick.candidate
    return Selected(
        item_id=one.item_id,
        exchange_id=one.exchange_id,
        responder=one.responder,
        rank=rank,
        reason=pick.reason,
        stratum=one.stratum,
        blind=one.item_id in blind,
        annotators_wanted=plan.overlap_annotators if one.item_id in overlap else 1,
    )


def _labelled(rounds: Path) -> set[str]:
    """Return the items that people have labelled; a corpus's own labels do not count."""
    return {
        label.item_id
        for number, path in (round_files(rounds) if rounds.is_dir() else {}).items()
        for label in resolve(read_round(path), number)
        if label.method != "source"
    }


def _candidates(
    responses: Path,
    splits: Path,
    scores: Path | None,
    findings: Path | None,
    features: Path | None,
) -> list[Candidate]:
    train = {row.exchange_id for row in read_table(splits, SplitAssignment) if row.split == "train"}
    sure = _confidence(scores)
    found = _findings(findings)
    placed = _vectors(features)
    candidates = []
    for response in read_table(responses, Response):
        if response.exchange_id not in train:
            continue
        agents = sure.get(response.id, [])
        candidates.append(
            Candidate(
                item_id=response.id,
                exchange_id=response.exchange_id,
                responder=response.responder,
                stratum=f"{response.responder}/{_length_band(response.text)}",
                probabilities=_probabilities(agents),
                disagreement=_disagreement(agents),
                findings=tuple(sorted(found.get(response.id, ()))),
                vector=placed.get(response.id),
            )
        )
    return candidates


def _length_band(text: str) -> str:
    words = count_words(text)
    return "short" if words <= 12 else "middle" if words <= 30 else "long"


def _confidence(path: Path | None) -> dict[str, list[Suggestion]]:
    by_item: defaultdict[str, list[Suggestion]] = defaultdict(list)
    if path and path.is_file():
        for suggestion in read_json_lines(path, Suggestion):
            if suggestion.question == "empathy":
                by_item[suggestion.item_id].append(suggestion)
    return by_item


def _probabilities(agents: list[Suggestion]) -> tuple[float, ...] | None:
    """Return the mean probabilities of those agents that have them.

    Where none does: confidence and rest of the least sure agent; None without one.
    """
    whole = [one.probabilities for one in agents if one.probabilities]
    if whole:
        answers = sorted({answer for one in whole for answer in one})
        return tuple(sum(one.get(name, 0.0) for one in whole) / len(whole) for name in answers)
    shares = [agent.score for agent in agents if agent.score is not None]
    return (min(shares), 1 - min(shares)) if shares else None


def _disagreement(agents: list[Suggestion]) -> float | None:
    """Return how far agents are apart on the scale from 1 to 3: 0 not at all, 1 from end to end.

    An agent stands at the rating that it expects, or at its answer if it has no probabilities.
    """
    stands = [_expected(agent) for agent in agents if isinstance(agent.value, int)]
    return (max(stands) - min(stands)) / 2 if len(stands) > 1 else None


def _expected(agent: Suggestion) -> float:
    chances = agent.probabilities or {str(agent.value): 1.0}
    return sum(int(rating) * chance for rating, chance in chances.items())


def _vectors(path: Path | None) -> dict[str, tuple[float, ...]]:
    """Return the embedding of each response, none where the table has no embeddings."""
    if path is None:
        return {}
    table = read_features(path).group("response")
    return (
        dict(zip(table.ids, map(tuple, table.values.tolist()), strict=True)) if table.names else {}
    )


def _findings(path: Path | None) -> dict[str, set[str]]:
    by_item: defaultdict[str, set[str]] = defaultdict(set)
    for file in sorted(path.rglob("findings.parquet")) if path else ():
        for _, values in iter_parquet(file, ("row_ids", "detector")):
            for row_id in values["row_ids"][:1]:
                by_item[row_id].add(str(values["detector"]))
    return by_item
