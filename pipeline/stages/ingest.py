"""Stage `ingest`: a raw corpus becomes exchanges and responses."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pydantic import Field, field_validator

from pipeline.config import LocalPath, Section
from pipeline.declare import Metrics, Out, Stage
from pipeline.errors import MissingFileError, TableError
from pipeline.progress import track
from pipeline.records import Exchange, Rejection, Response
from pipeline.sources import SOURCES, ReadOptions, Source, TableColumns, get_source
from pipeline.sources.licences import may_be_published, most_restrictive
from pipeline.sources.pseudonyms import PUBLISHED, Raters, load_secret, raters_of_this_run
from pipeline.storage import TableWriter, file_sha256, together, write_json


class IngestParams(Section):
    """Section `ingest` of params.yaml.

    `path` is the raw file; `columns` maps the columns of source `table`. `max_chars` bounds one
    text: what is longer is rejected, since a megabyte is no turn of a dialogue.
    """

    source: str
    path: LocalPath
    columns: TableColumns | None = None
    max_chars: int = Field(gt=0, description="characters of one text, at most")

    @field_validator("source")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in SOURCES:
            raise ValueError(f"source {name!r} is not one of {', '.join(SOURCES)}")
        return name


DAG = Stage(reads=("{ingest.path}",))


@together()
def run(
    params: IngestParams,
    *,
    exchanges: Out[Exchange],
    responses: Out[Response],
    rejections: Out[Rejection],
    metrics: Metrics,
    secrets: Path | None = None,
) -> None:
    """Write the exchanges, their responses, what was rejected, and the counts.

    Raters of people's own data get pseudonyms by the secret in the folder `secrets`, by default
    `.distillery`: another secret gives other tables, and `rater_key` in the metrics tells them
    apart.
    """
    source = get_source(params.source)
    if not params.path.is_file():
        raise MissingFileError(
            params.path,
            hint=f"Set ingest.path to a local copy of {source.name}"
            + (f", or get one: distillery fetch {source.name}" if source.url else "."),
        )
    raters = _raters(source, params.columns, secrets)
    options = ReadOptions(params.max_chars, params.columns, raters)
    reasons: Counter[str] = Counter()
    ratings: dict[str, Counter[str]] = {}
    licences: set[str] = set()
    dialogues = _Runs()
    rated_by_name = False
    with (
        TableWriter(exchanges, Exchange) as exchange_table,
        TableWriter(responses, Response) as response_table,
        TableWriter(rejections, Rejection) as rejection_table,
    ):
        for item in track(source.read(params.path, options), f"reading {params.path.name}"):
            if isinstance(item, Rejection):
                rejection_table.write(item)
                reasons[item.reason] += 1
                continue
            exchange_table.write(item.exchange)
            dialogues.add(item.exchange.dialogue_id)
            licences.add(item.exchange.lineage.licence)
            for response in item.responses:
                response_table.write(response)
                rated_by_name |= response.rater is not None
                counts = ratings.setdefault(response.responder, Counter())
                counts[str(response.rating or "unrated")] += 1
        _require_rows(exchange_table.rows, params.path, reasons)
    licence = most_restrictive(licences)
    write_json(
        metrics,
        {
            "source": source.name,
            "title": source.title,
            "citation": source.citation,
            "homepage": source.homepage,
            "synthetic": source.synthetic,
            "file": params.path.name,
            "sha256": file_sha256(params.path),
            "licence": licence,
            "may_be_published": may_be_published(licence),
            "exchanges": exchange_table.rows,
            "dialogues": dialogues.count,
            "responses": response_table.rows,
            "ratings": {who: dict(sorted(counts.items())) for who, counts in ratings.items()},
            # The key that raters' pseudonyms come from; null where no rater is kept.
            "rater_key": raters.fingerprint if rated_by_name else None,
            "rejections": dict(sorted(reasons.items())),
        },
    )


def _raters(source: Source, columns: TableColumns | None, secrets: Path | None) -> Raters:
    """Return the pseudonyms of `source`; a secret is made only where there are raters to hide."""
    if not source.own:
        return PUBLISHED
    named = columns is not None and any(one.rater for one in columns.responses.values())
    return Raters(load_secret(secrets)) if named else raters_of_this_run()


class _Runs:
    """Counts dialogues without remembering them: the exchanges of one stand together."""

    def __init__(self) -> None:
        self.count = 0
        self._last: str | None = None

    def add(self, name: str) -> None:
        """Count `name` unless it is that of the row before."""
        self.count += name != self._last
        self._last = name


def _require_rows(rows: int, path: Path, reasons: Counter[str]) -> None:
    if not rows:
        why = ", ".join(f"{count} {reason}" for reason, count in reasons.items()) or "it is empty"
        raise TableError(path, f"no usable exchange in it ({why})", hint="Check the file.")
