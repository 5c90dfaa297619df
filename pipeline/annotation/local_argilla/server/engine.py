"""A search engine for Argilla that asks Argilla's own database; there is no index to keep in step.

Every record, response, suggestion and vector is in SQLite already. Writing hooks therefore do
nothing, and a search sees a change as soon as it is committed. One server process, SQLite only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from argilla_server.database import AsyncSessionLocal
from argilla_server.enums import MetadataPropertyType, SimilarityOrder
from argilla_server.models import Dataset, MetadataProperty, Record, Response, User, Vector
from argilla_server.search_engine import SearchEngine, SearchResponseItem, SearchResponses
from argilla_server.search_engine.base import (
    FloatMetadataMetrics,
    IntegerMetadataMetrics,
    TermsMetrics,
)
from sqlalchemy import ColumnElement, Text, and_, cast, distinct, func, select, true

from .conditions import condition, json_items, json_path, sort_key
from .text_query import TextSearch, parse


@SearchEngine.register(engine_name="sql")
class SqlSearchEngine(SearchEngine):
    """Answers searches, similarity searches, metrics and progress by SQL."""

    @classmethod
    async def new_instance(cls) -> SqlSearchEngine:
        """Return an engine; it has nothing to connect to."""
        return cls()

    async def close(self) -> None:
        """Nothing is held open."""

    async def ping(self) -> bool:
        """Return that the engine answers."""
        return True

    async def info(self) -> dict[str, Any]:
        """Return what Argilla shows about its engine."""
        return {"name": "sql", "version": {"distribution": "sqlite", "number": "1"}}

    async def _already_stored(self, *_: Any, **__: Any) -> None:
        """Do nothing: what an index would take note of is in the database."""

    create_index = delete_index = _already_stored
    configure_metadata_property = configure_index_vectors = _already_stored
    index_records = partial_record_update = delete_records = _already_stored
    update_record_response = delete_record_response = _already_stored
    update_record_suggestion = delete_record_suggestion = _already_stored

    async def search(
        self,
        dataset: Dataset,
        query: Any = None,
        filter: Any = None,  # noqa: A002  Argilla passes it by this name
        sort: Sequence[Any] | None = None,
        offset: int = 0,
        limit: int = 100,
        user_id: Any = None,
    ) -> SearchResponses:
        """Return one page of record ids and the number of all matches.

        Unsorted and for one user, the order is shuffled by user, the same at every call, so that
        annotators do not all start with the same records.
        """
        where = and_(Record.dataset_id == dataset.id, condition(dataset, filter))
        order = [sort_key(dataset, one) for one in sort or ()]
        text = _parsed(query)
        if text:
            items = await self._ranked(text, where, order, keep_order=bool(sort))
        elif user_id is not None and not sort:
            ids = await self._ids(where, order)
            items = [_item(one) for one in sorted(ids, key=lambda one: _shuffle(user_id, one))]
        else:
            return await self._page(where, order, offset, limit)
        return SearchResponses(items=items[offset : offset + limit], total=len(items))

    async def _page(
        self, where: ColumnElement[bool], order: list[Any], offset: int, limit: int
    ) -> SearchResponses:
        async with AsyncSessionLocal() as session:
            total = await session.scalar(select(func.count()).select_from(Record).where(where))
            page = _ordered(select(Record.id).where(where), order).offset(offset).limit(limit)
            ids = (await session.scalars(page)).all()
        return SearchResponses(items=[_item(one) for one in ids], total=total or 0)

    async def _ids(self, where: ColumnElement[bool], order: list[Any]) -> list[UUID]:
        async with AsyncSessionLocal() as session:
            return list(await session.scalars(_ordered(select(Record.id).where(where), order)))

    async def _ranked(
        self,
        text: TextSearch,
        where: ColumnElement[bool],
        order: list[Any],
        *,
        keep_order: bool,
    ) -> list[SearchResponseItem]:
        query = select(Record.id, Record.fields).where(where, _may_contain(text))
        async with AsyncSessionLocal() as session:
            rows = (await session.execute(_ordered(query, order))).all()
        scored = [(record_id, text.score(fields)) for record_id, fields in rows]
        items = [_item(record_id, score) for record_id, score in scored if score is not None]
        return items if keep_order else sorted(items, key=lambda item: -(item.score or 0))

    async def similarity_search(
        self,
        dataset: Dataset,
        vector_settings: Any,
        value: list[float] | None = None,
        record: Record | None = None,
        query: Any = None,
        filter: Any = None,  # noqa: A002
        max_results: int = 100,
        order: SimilarityOrder = SimilarityOrder.most_similar,
        threshold: float | None = None,
    ) -> SearchResponses:
        """Return the records nearest to a vector, or to a record which is then left out.

        The score is (1 + cosine) / 2: 1 the same direction, 0 the opposite; the other way round
        where the least similar are asked for.
        """
        target = value or (
            record.vector_value_by_vector_settings(vector_settings) if record else None
        )
        if not target:
            raise ValueError("a vector, or a record that has one, is needed")
        text = _parsed(query)
        stored = (
            select(Record.id, Vector.value, Record.fields)
            .join(Vector, Vector.record_id == Record.id)
            .where(
                Record.dataset_id == dataset.id,
                Vector.vector_settings_id == vector_settings.id,
                condition(dataset, filter),
                _may_contain(text),
            )
        )
        async with AsyncSessionLocal() as session:
            rows = (await session.execute(stored)).all()
        kept = [
            row
            for row in rows
            if (record is None or row[0] != record.id)
            and (text is None or text.score(row[2]) is not None)
        ]
        sign = -1.0 if order == SimilarityOrder.least_similar else 1.0
        scores = _cosine_scores([row[1] for row in kept], [sign * one for one in target])
        best = sorted(zip(scores, (row[0] for row in kept), strict=True), key=lambda one: -one[0])
        items = [
            _item(record_id, score)
            for score, record_id in best[:max_results]
            if threshold is None or score >= threshold
        ]
        return SearchResponses(items=items, total=len(items))

    async def compute_metrics_for(self, metadata_property: MetadataProperty) -> Any:
        """Return how often each term occurs, or the least and the greatest number."""
        items = json_items(Record.metadata_, json_path(metadata_property.name))
        base = (
            select(Record)
            .join(items, true())
            .where(Record.dataset_id == metadata_property.dataset_id)
        )
        async with AsyncSessionLocal() as session:
            if metadata_property.type == MetadataPropertyType.terms:
                records = func.count(distinct(Record.id))
                counted = base.with_only_columns(items.c.value, records).group_by(items.c.value)
                rows = (
                    await session.execute(counted.order_by(records.desc(), items.c.value))
                ).all()
                return TermsMetrics(
                    total=sum(count for _, count in rows),
                    values=[TermsMetrics.TermCount(term=str(one), count=n) for one, n in rows],
                )
            ends = base.with_only_columns(func.min(items.c.value), func.max(items.c.value))
            low, high = (await session.execute(ends)).one()
        whole = metadata_property.type == MetadataPropertyType.integer
        return (IntegerMetadataMetrics if whole else FloatMetadataMetrics)(min=low, max=high)

    async def get_dataset_progress(self, dataset: Dataset) -> dict[str, int]:
        """Return the number of records, in total and by status."""
        counted = (
            select(Record.status, func.count())
            .where(Record.dataset_id == dataset.id)
            .group_by(Record.status)
        )
        return await _progress(dataset, counted)

    async def get_dataset_user_progress(self, dataset: Dataset, user: User) -> dict[str, int]:
        """Return the number of one user's responses, in total and by status."""
        counted = (
            select(Response.status, func.count())
            .join(Record, Record.id == Response.record_id)
            .where(Record.dataset_id == dataset.id, Response.user_id == user.id)
            .group_by(Response.status)
        )
        return await _progress(dataset, counted)


def _parsed(query: Any) -> TextSearch | None:
    if query is None:
        return None
    return parse(query) if isinstance(query, str) else parse(query.q, query.field)


def _may_contain(text: TextSearch | None) -> ColumnElement[bool]:
    fields = func.lower(cast(Record.fields, Text))
    needed = text.needed if text else []
    return and_(true(), *(fields.contains(word, autoescape=True) for word in needed))


def _ordered(query: Any, order: list[Any]) -> Any:
    return query.order_by(*order, Record.inserted_at.asc(), Record.id.asc())


def _item(record_id: Any, score: float = 1.0) -> SearchResponseItem:
    return SearchResponseItem(record_id=record_id, score=score)


def _shuffle(user_id: Any, record_id: Any) -> bytes:
    return hashlib.blake2b(f"{user_id}{record_id}".encode(), digest_size=8).digest()


def _cosine_scores(vectors: list[list[float]], target: list[float]) -> list[float]:
    import numpy as np

    if not vectors:
        return []
    matrix, wanted = np.asarray(vectors, dtype=float), np.asarray(target, dtype=float)
    lengths = np.linalg.norm(matrix, axis=1) * np.linalg.norm(wanted)
    scores: list[float] = ((1 + matrix @ wanted / np.maximum(lengths, 1e-12)) / 2).tolist()
    return scores


async def _progress(dataset: Dataset, counted: Any) -> dict[str, int]:
    if dataset.is_draft:
        return {}
    async with AsyncSessionLocal() as session:
        rows = (await session.execute(counted)).all()
    return {"total": sum(n for _, n in rows), **{status.value: n for status, n in rows}}
