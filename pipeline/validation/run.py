"""Run the suites over every table of a build, in one process: importing the library costs 3 s."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pipeline.progress import track
from pipeline.storage import count_rows
from pipeline.validation import suites, views
from pipeline.validation.drift import Accepted, Profile, Tolerances, drift_suite, profile
from pipeline.validation.drift import add_share_columns as add_shares
from pipeline.validation.suites import Bounds, Severity, Suite
from pipeline.validation.tables import BuildPaths, CheckedTable, build_tables

if TYPE_CHECKING:
    from pandas import DataFrame

EXAMPLES = 5


@dataclass(frozen=True)
class Check:
    """One expectation and how it fared.

    `unexpected` of `checked` rows failed; both are None for a claim about the whole table, where
    `observed` says what was found. `row_ids` and `values` are up to five of the failed rows.
    `is_drift` tells a comparison with the accepted build from a claim about the rows.
    """

    claim: str
    severity: Severity
    passed: bool
    unexpected: int | None = None
    checked: int | None = None
    observed: str = ""
    row_ids: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    is_drift: bool = False


@dataclass(frozen=True)
class TableReport:
    """The checks of one table. `corpus` is None for the tables that all corpora share."""

    name: str
    record: str
    corpus: str | None
    rows: int
    checks: Sequence[Check]
    profile: Profile | None = None

    def failed(self, severity: Severity) -> list[Check]:
        """Return the failed checks of this weight."""
        return [one for one in self.checks if not one.passed and one.severity == severity]


@dataclass(frozen=True)
class BuildReport:
    """All tables of a build of `source`; `compared`: there was an accepted build of it."""

    source: str
    compared: bool
    tables: Sequence[TableReport]


@dataclass
class Validator:
    """Runs suites on data frames, in a context that lives in memory and writes no file."""

    _source: Any = field(init=False)

    def __post_init__(self) -> None:
        import great_expectations
        from great_expectations.data_context.types.base import ProgressBarsConfig

        context = great_expectations.get_context(mode="ephemeral")
        # Its bars would also show without a terminal; ours says how far we are.
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        self._source = context.data_sources.add_pandas("build")

    def check(self, name: str, frame: DataFrame, suite: Suite, *, index: str) -> list[Check]:
        """Return one `Check` per expectation of `suite`, in its order."""
        from great_expectations import ExpectationSuite

        for position, expectation in enumerate(suite):
            expectation.meta = {"position": position}
        asset = self._source.add_dataframe_asset(name)
        batch = asset.add_batch_definition_whole_dataframe(name).get_batch({"dataframe": frame})
        outcome = batch.validate(
            ExpectationSuite(name=name, expectations=suite),
            result_format={
                "result_format": "SUMMARY",
                "unexpected_index_column_names": [index],
                "partial_unexpected_count": EXAMPLES,
            },
        )
        by_position = {one.expectation_config.meta["position"]: one for one in outcome.results}
        return [_check(by_position[position], index) for position in range(len(suite))]


def validate_build(
    paths: BuildPaths,
    corpora: Collection[str],
    *,
    bounds: Bounds,
    tolerances: Tolerances,
    accepted: Accepted,
) -> Iterator[TableReport]:
    """Yield a report per table: first those that the corpora share, then each corpus's own."""
    validator = Validator()
    tables = list(build_tables(paths, corpora, bounds))
    for table in track(tables, "validating", total=len(tables)):
        yield _report(validator, table, tolerances, accepted.tables.get(table.name))


def _report(
    validator: Validator, table: CheckedTable, tolerances: Tolerances, accepted: Profile | None
) -> TableReport:
    schema = views.schema_view(table.path, table.record_type)
    checks = validator.check(f"{table.name}: schema", schema, suites.schema_suite(), index="column")
    now = None
    if all(check.passed for check in checks):
        frame = table.view()
        now = profile(frame, table.shares)
        suite = list(table.suite)
        if accepted is not None and max(now.rows, accepted.rows) >= tolerances.least_rows:
            add_shares(frame, now, accepted)
            suite += drift_suite(now, accepted, tolerances)
        found = validator.check(table.name, frame, suite, index=table.index)
        own = len(table.suite)
        checks += [*found[:own], *(replace(check, is_drift=True) for check in found[own:])]
    return TableReport(
        name=table.name,
        record=table.record_type.__name__,
        corpus=table.corpus,
        rows=count_rows(table.path),
        checks=checks,
        profile=now,
    )


def _check(result: Any, index: str) -> Check:
    config, found = result.expectation_config, result.result
    why = _exception(result.exception_info)
    rows: list[Mapping[str, Any]] = found.get("partial_unexpected_index_list") or []
    observed = found.get("observed_value")
    if isinstance(observed, Mapping):  # quantiles
        observed = ", ".join(str(one) for one in observed.get("values", ()))
    elif isinstance(observed, float):
        observed = f"{observed:.4g}"
    return Check(
        claim=str(config.notes),
        severity=str(getattr(config.severity, "value", config.severity)),  # type: ignore[arg-type]
        passed=bool(result.success),
        unexpected=found.get("unexpected_count"),
        checked=None if "element_count" not in found else int(found["element_count"]),
        observed=why or ("" if observed is None else str(observed)),
        row_ids=tuple(str(row.get(index)) for row in rows[:EXAMPLES]),
        values=tuple(_value(row, index) for row in rows[:EXAMPLES]),
    )


def _value(row: Mapping[str, Any], index: str) -> str:
    shown = [str(value) for name, value in row.items() if name != index] or [str(row.get(index))]
    return " / ".join(shown)[:200]


def _exception(info: Mapping[str, Any]) -> str:
    """Return why an expectation could not be evaluated, or "" if it was."""
    entries = [info, *(one for one in info.values() if isinstance(one, Mapping))]
    for entry in entries:
        if entry.get("raised_exception") and entry.get("exception_message"):
            return f"could not be evaluated: {str(entry['exception_message'])[:200]}"
    return ""
