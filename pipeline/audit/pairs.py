"""Preference pairs: whether the better side is better, and by more than its length."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

from pipeline.audit.detector import Detector, SkippedError
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import Detection, Figure
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditPair, AuditTable
from pipeline.near_duplicates import jaccard, normalise, shingles
from pipeline.text.words import count_words


def _pairs(table: AuditTable) -> list[AuditPair]:
    if not table.pairs:
        raise SkippedError("no columns of chosen and rejected replies")
    return list(table.pairs)


def _finding(
    pair: AuditPair, severity: Severity, explanation: str, action: str, **more: object
) -> Finding:
    return Finding.model_validate(
        {
            "severity": severity,
            "row_ids": (pair.row_id, *more.pop("others", ())),  # type: ignore[misc]
            "dialogue_id": pair.dialogue_id,
            "split": pair.split,
            "evidence": pair.chosen[:200],
            "excerpt": f"chosen: {pair.chosen[:350]}\nrejected: {pair.rejected[:350]}",
            "explanation": explanation,
            "action": action,
            **more,
        }
    )


def pair_ties(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report pairs whose sides are the same words or nearly, rated the same, or voted even."""
    findings = []
    for pair in _pairs(table):
        severity, score = Severity.CRITICAL, None
        votes = Counter(vote for vote in pair.votes if vote in ("1", "2", "0"))
        if normalise(pair.chosen) == normalise(pair.rejected):
            why = "Both sides say the same words."
        elif pair.chosen_rating is not None and pair.chosen_rating == pair.rejected_rating:
            why = f"Both sides are rated {pair.chosen_rating:g}."
        elif votes and (votes["0"] > votes.total() / 2 or votes["1"] == votes["2"]):
            why = "The judges found neither side better."
        else:
            score = _likeness(pair)
            if score < settings.near_tie_jaccard:
                continue
            severity = Severity.WARNING
            why = f"The sides share {score:.0%} of their 4-character shingles (Jaccard)."
        findings.append(_finding(pair, severity, why, "Drop it: it prefers nothing.", score=score))
    return Detection(findings, {}, len(table.pairs))


def _likeness(pair: AuditPair) -> float:
    # Sides of very different length cannot share most shingles: most pairs end here.
    short, long = sorted((len(pair.chosen), len(pair.rejected)))
    return jaccard(shingles(pair.chosen), shingles(pair.rejected)) if 2 * short > long else 0.0


def pair_inversions(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report pairs whose rejected side is rated higher than the chosen one."""
    rated = [
        pair
        for pair in _pairs(table)
        if pair.chosen_rating is not None and pair.rejected_rating is not None
    ]
    if not rated:
        raise SkippedError("no ratings of the sides")
    findings = [
        _finding(
            pair,
            Severity.CRITICAL,
            f"Chosen is rated {pair.chosen_rating:g}, rejected {pair.rejected_rating:g}.",
            "Drop it, or turn it round.",
            score=(pair.rejected_rating or 0.0) - (pair.chosen_rating or 0.0),
        )
        for pair in rated
        if (pair.rejected_rating or 0.0) > (pair.chosen_rating or 0.0)
    ]
    return Detection(findings, {"rated": len(rated)}, len(rated))


def _sorries(text: str) -> int:
    return text.lower().count("sorry")


_BASELINES: dict[str, Callable[[str], int]] = {
    "longest": count_words,
    "shortest": lambda text: -count_words(text),
    "most_sorry": _sorries,
    "most_questions": lambda text: text.count("?"),
}


def pair_confounds(table: AuditTable, settings: AuditSettings) -> Detection:
    """Measure how often a rule that reads nothing picks the chosen side; ties count one half."""
    pairs = [pair for pair in _pairs(table) if not pair.votes]
    if not pairs:
        pairs = [turned for pair in table.pairs if (turned := _by_votes(pair))]
    if not pairs:
        raise SkippedError("no pair with a preferred side")
    right: dict[str, float] = {}
    for name, measure in _BASELINES.items():
        margins = [measure(pair.chosen) - measure(pair.rejected) for pair in pairs]
        right[name] = sum(1.0 if m > 0 else 0.5 if m == 0 else 0.0 for m in margins) / len(pairs)
    # Two standard errors of a fair coin keep small tables quiet.
    bound = max(settings.confound_share, 0.5 + 1.0 / len(pairs) ** 0.5)
    findings = [
        Finding(
            severity=Severity.WARNING,
            evidence=name,
            score=round(share, 4),
            explanation=f"Picking the {name.replace('_', ' ')} is right in {share:.1%} of pairs.",
            action="Match the sides in it, or report results against this baseline.",
        )
        for name, share in right.items()
        if share >= bound
    ]
    shares: dict[str, Figure] = {name: round(share, 4) for name, share in right.items()}
    return Detection(findings, {"right_by_baseline": shares}, len(pairs))


def _by_votes(pair: AuditPair) -> AuditPair | None:
    votes = Counter(pair.votes)
    if votes["1"] == votes["2"]:
        return None
    if votes["1"] > votes["2"]:
        return pair
    return AuditPair(
        row_id=pair.row_id, chosen=pair.rejected, rejected=pair.chosen, prompt=pair.prompt
    )


def pair_duplicates(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report pairs that are there twice, and pairs that another one contradicts."""
    seen: dict[tuple[str, str, str], AuditPair] = {}
    findings: list[Finding] = []
    reused: dict[tuple[str, str], int] = defaultdict(int)
    for pair in _pairs(table):
        prompt, *sides = map(normalise, (pair.prompt, pair.chosen, pair.rejected))
        reused[prompt, sides[0]] += 1
        first = seen.setdefault((prompt, sides[0], sides[1]), pair)
        turned = seen.get((prompt, sides[1], sides[0]))
        if first is not pair:
            why, severity = f"The same pair as row {first.row_id}.", Severity.WARNING
            other = first
        elif turned is not None and sides[0] != sides[1] and not pair.votes:
            why, severity = f"Row {turned.row_id} prefers the other side.", Severity.CRITICAL
            other = turned
        else:
            continue
        findings.append(
            _finding(
                pair,
                severity,
                why,
                "Keep one of them.",
                others=(other.row_id,),
                cluster=f"pair-{other.row_id}",
            )
        )
    repeats = sum(times - 1 for times in reused.values())
    return Detection(findings, {"chosen_used_again": repeats}, len(table.pairs))


def pair_prompts(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report pairs whose sides answer different prompts."""
    told = [pair for pair in _pairs(table) if pair.other_prompt is not None]
    if not told:
        raise SkippedError("the sides hold no prompt of their own")
    findings = [
        _finding(
            pair,
            Severity.CRITICAL,
            "The rejected side answers another prompt than the chosen one.",
            "Drop it: the sides cannot be compared.",
        )
        for pair in told
        if normalise(pair.prompt) != normalise(pair.other_prompt or "")
    ]
    return Detection(findings, {}, len(told))


DETECTORS = {
    "pair_ties": Detector("preference pairs", pair_ties),
    "pair_inversions": Detector("preference pairs", pair_inversions),
    "pair_confounds": Detector("preference pairs", pair_confounds),
    "pair_duplicates": Detector("preference pairs", pair_duplicates),
    "pair_prompts": Detector("preference pairs", pair_prompts),
}
