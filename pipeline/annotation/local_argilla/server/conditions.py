"""Argilla's filters and sort orders as SQL over its own tables (SQLite's JSON functions)."""

from __future__ import annotations

from itertools import count
from typing import Any

from argilla_server.enums import ResponseStatusFilter, SortOrder
from argilla_server.models import Dataset, Question, Record, Response, Suggestion
from argilla_server.search_engine import (
    AndFilter,
    MetadataFilterScope,
    Order,
    RangeFilter,
    RecordFilterScope,
    ResponseFilterScope,
    SuggestionFilterScope,
    TermsFilter,
)
from sqlalchemy import ColumnElement, Text, and_, cast, exists, func, not_, or_, select, true

_alias = count()

# Suggestion properties that hold JSON; the others are plain columns.
_JSON_PROPERTIES = ("value", "score")


def json_path(*keys: str) -> str:
    """Return the SQLite path of nested keys; quotation marks in a key are escaped."""
    return "$" + "".join('."{}"'.format(key.replace('"', '\\"')) for key in keys)


def json_items(column: Any, path: str = "$") -> Any:
    """Return the items of a JSON list, or the one value of a JSON scalar, as rows `value`."""
    return func.json_each(column, path).table_valued("value", name=f"items{next(_alias)}")


def condition(dataset: Dataset, filter_: Any) -> ColumnElement[bool]:
    """Return the condition on `Record` that a filter stands for."""
    if filter_ is None:
        return true()
    if isinstance(filter_, AndFilter):
        return and_(true(), *(condition(dataset, part) for part in filter_.filters))
    scope = filter_.scope
    if isinstance(scope, RecordFilterScope):
        return _record(scope, filter_)
    if isinstance(scope, MetadataFilterScope):
        items = json_items(Record.metadata_, json_path(scope.metadata_property))
        return exists(select(1).select_from(items).where(_matches(items.c.value, filter_)))
    if isinstance(scope, SuggestionFilterScope):
        return _suggestion(dataset, scope, filter_)
    if isinstance(scope, ResponseFilterScope):
        return _response(scope, filter_)
    raise TypeError(f"no filter for {scope!r}")


def _matches(column: Any, filter_: Any) -> ColumnElement[bool]:
    """Compare one value. Terms are compared as text, as an index of keywords would."""
    if isinstance(filter_, TermsFilter):
        return cast(column, Text).in_([str(getattr(one, "value", one)) for one in filter_.values])
    assert isinstance(filter_, RangeFilter)
    limits = [true()]
    if filter_.ge is not None:
        limits.append(column >= filter_.ge)
    if filter_.le is not None:
        limits.append(column <= filter_.le)
    return and_(*limits)


def _record(scope: RecordFilterScope, filter_: Any) -> ColumnElement[bool]:
    column = getattr(Record, scope.property)
    if isinstance(filter_, TermsFilter) and scope.property == "status":
        return column.in_(list(filter_.values))
    if isinstance(filter_, TermsFilter) and scope.property == "id":
        # SQLite holds a UUID as 32 hex digits.
        return cast(column, Text).in_([str(one).replace("-", "") for one in filter_.values])
    return _matches(column, filter_)


def _suggestion(
    dataset: Dataset, scope: SuggestionFilterScope, filter_: Any
) -> ColumnElement[bool]:
    found = (
        select(1)
        .select_from(Suggestion)
        .where(
            Suggestion.record_id == Record.id, Suggestion.question_id == _question(dataset, scope)
        )
    )
    name = scope.property or "value"
    column = getattr(Suggestion, name)
    if name not in _JSON_PROPERTIES:
        return exists(found.where(_matches(column, filter_)).correlate(Record))
    items = json_items(column)
    return exists(
        found.join(items, true()).where(_matches(items.c.value, filter_)).correlate(Record)
    )


def _question(dataset: Dataset, scope: SuggestionFilterScope) -> Any:
    return (
        select(Question.id)
        .where(Question.dataset_id == dataset.id, Question.name == scope.question)
        .scalar_subquery()
    )


def _response(scope: ResponseFilterScope, filter_: Any) -> ColumnElement[bool]:
    found = select(1).select_from(Response).where(Response.record_id == Record.id)
    if scope.user:
        found = found.where(Response.user_id == scope.user.id)
    if scope.question:
        items = json_items(Response.values, json_path(scope.question, "value"))
        return exists(
            found.join(items, true()).where(_matches(items.c.value, filter_)).correlate(Record)
        )
    # "Pending" is no status of a response but the lack of one.
    wanted = list(filter_.values)
    either = []
    if ResponseStatusFilter.pending in wanted:
        either.append(not_(exists(found.correlate(Record))))
    if statuses := [
        getattr(one, "value", one) for one in wanted if one != ResponseStatusFilter.pending
    ]:
        either.append(exists(found.where(Response.status.in_(statuses)).correlate(Record)))
    return or_(*either) if either else true()


def sort_key(dataset: Dataset, order: Order) -> ColumnElement[Any]:
    """Return what to sort `Record` by; records without a value come last either way."""
    scope = order.scope
    if isinstance(scope, RecordFilterScope):
        column: Any = getattr(Record, scope.property)
    elif isinstance(scope, MetadataFilterScope):
        column = func.json_extract(Record.metadata_, json_path(scope.metadata_property))
    elif isinstance(scope, SuggestionFilterScope):
        name = scope.property or "value"
        value = getattr(Suggestion, name)
        value = func.json_extract(value, "$") if name in _JSON_PROPERTIES else value
        column = _inner(
            select(func.min(value)).where(
                Suggestion.record_id == Record.id,
                Suggestion.question_id == _question(dataset, scope),
            )
        )
    else:
        column = _response_key(scope)
    return (column.desc() if order.order == SortOrder.desc else column.asc()).nulls_last()


def _response_key(scope: ResponseFilterScope) -> Any:
    if scope.question:
        value = func.json_extract(Response.values, json_path(scope.question, "value"))
        query = select(func.avg(value))
    else:
        query = select(func.min(Response.status))
    query = query.where(Response.record_id == Record.id)
    if scope.user:
        query = query.where(Response.user_id == scope.user.id)
    return _inner(query)


def _inner(query: Any) -> Any:
    return query.correlate(Record).scalar_subquery()
