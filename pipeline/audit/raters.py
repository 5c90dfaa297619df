"""How raters rate: always the same, much kinder or harsher than others, one arm only."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean, pstdev

from pipeline.audit.detector import Detector, SkippedError
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import Detection, Figure
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text, text_finding
from pipeline.statistics.agreement import icc_1


def _by_rater(table: AuditTable) -> dict[str, list[Text]]:
    raters: dict[str, list[Text]] = defaultdict(list)
    for text in table.texts:
        if text.rater and text.rating is not None:
            raters[text.rater].append(text)
    if len(raters) < 3:
        raise SkippedError("needs numeric ratings by three raters or more")
    return raters


def straight_lining(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report the ratings of raters who gave all their items the same one."""
    findings = []
    raters = _by_rater(table)
    lined = 0
    for rater, texts in raters.items():
        if len(texts) < settings.straight_line_items or len({one.rating for one in texts}) > 1:
            continue
        lined += 1
        findings += [
            text_finding(
                text,
                Severity.WARNING,
                explanation=f"Rater {rater} gave all of {len(texts)} items {texts[0].rating:g}.",
                action="Weigh this rater's labels down, or have the items rated again.",
                score=float(len(texts)),
                cluster=f"rater-{rater}",
            )
            for text in texts
        ]
    figures: dict[str, Figure] = {"raters": len(raters), "straight_lining": lined}
    return Detection(findings, figures, sum(map(len, raters.values())))


def rater_severity(table: AuditTable, settings: AuditSettings) -> Detection:
    """Measure how much of the variance is the rater's (ICC(1)); report who is far from the rest.

    A rater's mean is compared with that of the same responder's ratings, in standard errors.
    """
    raters = _by_rater(table)
    arms: dict[str, list[float]] = defaultdict(list)
    for text in table.texts:
        if text.rating is not None and text.rater:
            arms[text.responder or "all"].append(text.rating)
    icc: dict[str, Figure] = {}
    for arm in sorted(arms):
        groups = [
            [
                text.rating
                for text in texts
                if text.rating is not None and (text.responder or "all") == arm
            ]
            for texts in raters.values()
        ]
        share = icc_1([group for group in groups if len(group) > 1])
        icc[arm] = None if share is None else round(share, 4)
    means = {arm: fmean(ratings) for arm, ratings in arms.items()}
    spreads = {arm: pstdev(ratings) for arm, ratings in arms.items()}
    findings = []
    for rater, texts in raters.items():
        offsets = [(text.rating or 0.0) - means[text.responder or "all"] for text in texts]
        spread = fmean(spreads[text.responder or "all"] for text in texts)
        if len(texts) < 5 or spread == 0:
            continue
        z = fmean(offsets) / (spread / len(texts) ** 0.5)
        if abs(z) >= settings.rater_severity_z:
            findings.append(
                Finding(
                    severity=Severity.INFO,
                    row_ids=tuple(text.row_id for text in texts),
                    responder=texts[0].responder,
                    score=round(z, 4),
                    explanation=(
                        f"Rater {rater} is {abs(fmean(offsets)):.2f} points "
                        f"{'kinder' if z > 0 else 'harsher'} than the others on {len(texts)} items."
                    ),
                    action="Model the rater, or compare ratings only within one.",
                    cluster=f"rater-{rater}",
                )
            )
    return Detection(findings, {"icc1": icc, "raters": len(raters)}, sum(map(len, raters.values())))


def arm_confounding(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report raters who rated one responder only: kindness and quality look the same."""
    raters = _by_rater(table)
    if len(table.responders) < 2:
        raise SkippedError("needs replies of two responders or more")
    arms = {rater: {text.responder for text in texts} for rater, texts in raters.items()}
    single = sum(len(seen) == 1 for seen in arms.values())
    share = single / len(arms)
    findings = []
    if share >= 0.5:
        findings.append(
            Finding(
                severity=Severity.WARNING,
                score=round(share, 4),
                explanation=(
                    f"{single} of {len(arms)} raters rated one responder only: a difference "
                    "between responders may be one between raters."
                ),
                action="Report responders' means with the rater as a random effect.",
            )
        )
    figures: dict[str, Figure] = {"share_of_raters_with_one_arm": round(share, 4)}
    return Detection(findings, figures, sum(map(len, raters.values())))


DETECTORS = {
    "straight_lining": Detector("labels", straight_lining),
    "rater_severity": Detector("labels", rater_severity),
    "arm_confounding": Detector("labels", arm_confounding),
}
