"""What a test side could have learned from the training side, or from another file."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from difflib import SequenceMatcher

from pipeline.audit.detector import Detector, SkippedError
from pipeline.audit.duplicates import by_words
from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import Detection
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable, Text, text_finding
from pipeline.near_duplicates import near_duplicates
from pipeline.text.words import count_words

_HIT = re.compile(r"^(hit:\d+)_")
_ACTION = "Put both on one side of the split, or drop one."


def cross_split(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report texts that are, word for word or nearly, in two splits."""
    if len(_splits(table)) < 2:
        raise SkippedError("no column says which split a row is in, or all are in one")
    # Pairs repeat a prompt and a reply by design: each distinct text of a split counts once.
    texts = list({(one.split, one.speaks, one.text): one for one in table.texts}.values())
    texts = [text for text in texts if text.split and _long(text, settings)]
    findings: list[Finding] = []
    for left, right, similarity in _matches(
        texts, settings, lambda text: text.split, speakers_apart=True
    ):
        span = common_span(right.text, left.text)
        findings.append(
            text_finding(
                right,
                Severity.CRITICAL if similarity == 1 else Severity.WARNING,
                explanation=(
                    f"Row {left.row_id} of split {left.split} says the same "
                    f"({similarity:.0%} of the shingles)."
                ),
                action=_ACTION,
                span=span,
                score=similarity,
                others=(left.row_id,),
                cluster=f"leak-{len(findings) + 1}",
            )
        )
    return Detection(findings, {"splits": sorted(_splits(table))}, len(texts))


def group_leakage(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report dialogues, collection tasks and sessions that have rows in two splits."""
    if len(_splits(table)) < 2:
        raise SkippedError("no column says which split a row is in, or all are in one")
    groups: dict[str, list[Text]] = defaultdict(list)
    for text in table.texts:
        if text.dialogue_id:
            groups[f"dialogue {text.dialogue_id}"].append(text)
            if hit := _HIT.match(text.dialogue_id):
                groups[f"task {hit.group(1)}"].append(text)
        if text.group:
            groups[f"group {text.group}"].append(text)
    findings: list[Finding] = []
    leaking = 0
    for name, members in groups.items():
        sides = Counter(text.split for text in members if text.split)
        if len(sides) < 2:
            continue
        leaking += 1
        most = sides.most_common(1)[0][0]
        home = next(text for text in members if text.split == most)
        away = {text.row_id: text for text in members if text.split not in (None, home.split)}
        findings += [
            text_finding(
                text,
                Severity.CRITICAL if name.startswith("dialogue") else Severity.WARNING,
                explanation=f"{name} is in split {home.split} and in split {text.split}.",
                action="Split by dialogue and task, never by row.",
                others=(home.row_id,),
                cluster=name,
            )
            for text in away.values()
        ]
    if not groups:
        raise SkippedError("no column says which dialogue, task or session a row is from")
    return Detection(findings, {"groups": len(groups), "leaking": leaking}, len(table.texts))


def leakage_against(table: AuditTable, settings: AuditSettings) -> Detection:
    """Report texts that another file has too."""
    if not table.against:
        raise SkippedError("no other file was given (--against)")
    mine = [text for text in table.texts if _long(text, settings)]
    theirs = [text for text in table.against if _long(text, settings)]
    ours = set(map(id, mine))
    findings: list[Finding] = []
    for left, right, similarity in _matches(
        [*mine, *theirs], settings, lambda text: id(text) in ours, speakers_apart=False
    ):
        text, other = (left, right) if id(left) in ours else (right, left)
        findings.append(
            text_finding(
                text,
                Severity.CRITICAL if similarity == 1 else Severity.WARNING,
                explanation=(
                    f"{table.against_name} has it in row {other.row_id} "
                    f"({similarity:.0%} of the shingles)."
                ),
                action="Take it out of one of the files before one is tested on the other.",
                span=common_span(text.text, other.text),
                score=similarity,
                others=(f"{table.against_name}:{other.row_id}",),
            )
        )
    return Detection(findings, {"against_texts": len(table.against)}, len(mine))


def _splits(table: AuditTable) -> set[str]:
    return {text.split for text in table.texts if text.split}


def _long(text: Text, settings: AuditSettings) -> bool:
    return count_words(text.text) >= settings.leak_min_words


def _matches(
    texts: Sequence[Text],
    settings: AuditSettings,
    side_of: Callable[[Text], Hashable],
    *,
    speakers_apart: bool,
) -> list[tuple[Text, Text, float]]:
    """Return pairs of texts of two sides that say the same.

    All of the same words are held against the first of them, and nearly the same words against
    one another; with `speakers_apart` what one speaker says only against what that one says.
    """
    words: dict[str, list[Text]] = defaultdict(list)
    for (speaks, said), members in by_words(texts).items():
        words[f"{speaks} {said}" if speakers_apart else said] += members
    matches = [(first, other, 1.0) for first, *others in words.values() for other in others]
    matches = [match for match in matches if side_of(match[0]) != side_of(match[1])]
    distinct = [members[0] for members in words.values()]
    compared: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(distinct):
        compared[text.speaks if speakers_apart else ""].append(place)
    near = [
        (places[pair.left], places[pair.right], pair.similarity)
        for places in compared.values()
        for pair in near_duplicates(
            [distinct[place].text for place in places],
            threshold=settings.near_duplicate_jaccard,
            sides=[side_of(distinct[place]) for place in places],
        )
    ]
    return matches + [
        (distinct[left], distinct[right], similarity) for left, right, similarity in sorted(near)
    ]


def common_span(text: str, other: str) -> tuple[int, int]:
    """Return where the longest run of `text` that `other` has too begins and ends."""
    matcher = SequenceMatcher(None, text[:1000], other[:1000], autojunk=False)
    match = matcher.find_longest_match()
    return match.a, match.a + match.size


DETECTORS = {
    "cross_split_leakage": Detector("duplicates", cross_split),
    "group_leakage": Detector("duplicates", group_leakage),
    "leakage_against": Detector("duplicates", leakage_against),
}
