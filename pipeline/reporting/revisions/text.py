"""The difference as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.pages import printable
from pipeline.reporting.revisions.difference import Compared, Difference, reasons
from pipeline.reporting.revisions.revision import Revision
from pipeline.reporting.revisions.shifts import Shift

SHOWN_SHIFTS = 6
SHOWN_REASONS = 8


def text_lines(difference: Difference) -> list[str]:
    """Return what changed: the sum of it, the causes, tables with reasons, checks, shifts."""
    return [printable(line) for line in _lines(difference)]


def headline(difference: Difference) -> str:
    """Return the whole in one sentence."""
    changed = [one for one in difference.tables if not one.is_same]
    if not changed and not difference.gates and not difference.audit:
        return "The corpora, their gates and their audit are the same."
    rows = ", ".join(
        f"{difference.total(what):,} {what}" for what in ("added", "dropped", "changed")
    )
    worse = f"; {len(difference.worse)} checks are worse" if difference.worse else ""
    return f"{len(changed)} of {len(difference.tables)} tables changed; rows: {rows}{worse}."


def signed(before: int | None, after: int | None) -> str:
    """Return a number before and after, as `40 → 44`."""
    return f"{'–' if before is None else f'{before:,}'} → {'–' if after is None else f'{after:,}'}"


def said(shift: Shift) -> str:
    """Return a shift as text."""
    if shift.is_share:
        return f"{shift.name}: {100 * shift.before:.1f}% → {100 * shift.after:.1f}%"
    return f"{shift.name}: {shift.before:.0f} → {shift.after:.0f}"


def _lines(difference: Difference) -> Iterator[str]:
    yield f"before  {_title(difference.before)}"
    yield f"after   {_title(difference.after)}"
    yield ""
    yield headline(difference)
    if difference.causes:
        yield ""
        yield "What was changed"
        for cause in difference.causes:
            values = f": {cause.before} → {cause.after}" if cause.before != cause.after else ""
            yield f"  {cause.kind}  {cause.name}{values}  ({', '.join(cause.used_by)})"
    for one in difference.tables:
        if not one.is_same:
            yield ""
            yield from _table(one)
    for title, checks in (("Gates", difference.gates), ("Audit", difference.audit)):
        if checks:
            yield ""
            yield title
            for check in checks:
                mark = "worse  " if check.worse else "       "
                yield f"  {mark}{check.table}: {check.what} {check.before} → {check.after}"


def _table(one: Compared) -> Iterator[str]:
    rows = one.rows
    yield f"{rows.corpus}, {rows.kind}: {signed(rows.rows_before, rows.rows_after)} rows"
    for word, changes, why in (
        ("dropped", rows.dropped, "why"),
        ("added", rows.added, "why not before"),
        ("changed", rows.changed, "what"),
    ):
        if changes:
            found = reasons(changes)
            more = f", and {len(found) - SHOWN_REASONS} more" if len(found) > SHOWN_REASONS else ""
            shown = ", ".join(f"{reason} ({count})" for reason, count in found[:SHOWN_REASONS])
            yield f"  {len(changes):,} {word}; {why}: {shown}{more}"
            ids = dict.fromkeys(one for one in (changes[0].was, changes[0].now) if one)
            yield f"    such as {' → '.join(ids)}"
    for shift in one.shifts[:SHOWN_SHIFTS]:
        yield f"  {'! ' if shift.notable else '  '}{said(shift)}"
    if len(one.shifts) > SHOWN_SHIFTS:
        yield f"    and {len(one.shifts) - SHOWN_SHIFTS} smaller shifts (--json has all)"


def _title(revision: Revision) -> str:
    return f"{revision.name}  {revision.commit or ''}  {revision.subject}".rstrip()
