"""A corpus as Croissant 1.1: files, columns, and the fields of responsible AI.

https://docs.mlcommons.org/croissant/docs/croissant-spec.html and croissant-rai-spec.html
"""

from __future__ import annotations

import os
from typing import Any

from pipeline.layout import place
from pipeline.reporting.cards.corpus import (
    CARD_TABLES,
    KEPT_OF_RATERS,
    SYNTHETIC,
    TITLES,
    corpus_licence,
)
from pipeline.reporting.facts import Fact, Facts, text_of

# https://spdx.org/licenses/; what states none has no address.
SPDX = "https://spdx.org/licenses/{}.html"
CORE = "http://mlcommons.org/croissant/1.1"
RAI = "http://mlcommons.org/croissant/RAI/1.0"
FOLDER = place("report.cards")
MESSAGES = {
    "sft": {"messages": "the conversation; its last turn is the target"},
    "preferences_strict": {
        "prompt": "what both sides answer",
        "chosen": "the better answer",
        "rejected": "the other answer",
    },
}
MESSAGES["preferences_authors"] = MESSAGES["preferences_strict"]


def croissant(name: str, facts: Facts, *, folder: str = FOLDER) -> dict[str, Any]:
    """Return the Croissant document of the corpus `name`, checked by mlcroissant.

    The addresses of its files are relative to `folder`, where the document is to be put.
    """
    import mlcroissant as mlc

    ingest = facts.need(place("ingest.metrics"))
    tables = facts.need(place("describe_corpora.out"))["corpora"][name]["tables"]
    licence = corpus_licence(name, facts)
    synthetic = _is_synthetic(ingest, tables)
    versions = type(mlc.Context().conforms_to)  # mlcroissant does not export the enumeration
    context = mlc.Context(conforms_to=versions(CORE))
    metadata = mlc.Metadata(
        ctx=context,
        name=name,
        description=(
            f"Supervised examples and preference pairs of empathetic dialogue, made from the "
            f"source {ingest['source'].raw}."
        ),
        cite_as=ingest["citation"].raw,
        license=[SPDX.format(licence) if licence and " " not in licence else "none stated"],
        url=ingest["homepage"].raw,
        version="1.0.0",
        keywords=["empathy", "dialogue", "distillation", *(["synthetic"] if synthetic else [])],
        distribution=[_file(mlc, context, name, table, folder) for table in tables],
        record_sets=[_record_set(mlc, context, table) for table in tables if table["rows"].raw],
        **_responsible(name, facts, ingest, tables, synthetic=synthetic),
    )
    document: dict[str, Any] = metadata.to_json()
    document["@context"] |= {key: f"cr:{key}" for key in ("arrayShape", "containedIn", "isArray")}
    document["conformsTo"] = [document["conformsTo"], RAI]
    # mlcroissant 1.1 has no name for it yet.
    document["rai:hasSyntheticData"] = synthetic
    return document


def _is_synthetic(ingest: Fact, tables: Fact) -> bool:
    return ingest["synthetic"].raw in ("all", "part") or any(one["models"] for one in tables)


def _file(mlc: Any, context: Any, name: str, table: Fact, folder: str) -> Any:
    key = table.pointer[-1]
    return mlc.FileObject(
        ctx=context,
        id=f"{key}.parquet",
        name=f"{key}.parquet",
        description=f"{TITLES[key]}, {text_of(table['rows'].raw)} rows",
        content_url=os.path.relpath(CARD_TABLES[key].format(name), folder),
        content_size=f"{table['bytes'].raw} B",
        encoding_formats=["application/x-parquet"],
        sha256=table["sha256"].raw,
    )


def _record_set(mlc: Any, context: Any, table: Fact) -> Any:
    key = table.pointer[-1]
    plain = ("id", "exchange_id") + (
        ("response_id",) if key == "sft" else ("chosen_id", "rejected_id")
    )
    fields = [
        mlc.Field(
            ctx=context,
            id=f"{key}/{column}",
            name=column,
            data_types=[mlc.DataType.TEXT],
            source=_column(mlc, context, key, column),
        )
        for column in plain
    ]
    fields += [
        mlc.Field(
            ctx=context,
            id=f"{key}/{column}",
            name=column,
            description=meaning,
            is_array=True,
            array_shape="-1",
            sub_fields=[
                mlc.Field(
                    ctx=context,
                    id=f"{key}/{column}/{part}",
                    name=part,
                    data_types=[mlc.DataType.TEXT],
                    source=_column(mlc, context, key, column, part),
                )
                for part in ("role", "content")
            ],
        )
        for column, meaning in MESSAGES[key].items()
    ]
    return mlc.RecordSet(ctx=context, id=key, name=key, description=TITLES[key], fields=fields)


def _column(mlc: Any, context: Any, table: str, column: str, part: str = "") -> Any:
    return mlc.Source(
        ctx=context,
        file_object=f"{table}.parquet",
        extract=mlc.Extract(ctx=context, column=column),
        transforms=[mlc.Transform(ctx=context, json_path=part)] if part else [],
    )


def _responsible(
    name: str, facts: Facts, ingest: Fact, tables: Fact, *, synthetic: bool
) -> dict[str, Any]:
    audit = facts.find(f"{place('findings')}/sft-{name}/summary.json")
    found = audit["detectors"] if isinstance(audit, Fact) else None
    crisis = _findings(found, "crisis")
    personal = _findings(found, "personal_data")
    models = sorted({one.pointer[-1] for table in tables for one in table["models"]})
    return {
        "data_collection": f"{ingest['title'].raw}. {SYNTHETIC[ingest['synthetic'].raw]}",
        "data_collection_type": ["Synthetic"] if synthetic else ["Secondary Data Analysis"],
        "data_preprocessing_protocol": [
            "Exchanges are split by dialogue; candidates without a usable response are rejected, "
            "each with a reason.",
        ],
        "data_manipulation_protocol": "Preferences are made from ratings by a rule; nobody "
        "compared the two sides of a pair.",
        "data_annotation_protocol": ["Ratings of empathy as the source gives them."],
        "machine_annotation_tools": models or None,
        "data_limitations": [
            "Single turns in one language; too few or too uniform rows may teach a habit.",
            "Not for therapy, for advice in a crisis, or for judging people's empathy.",
        ],
        "data_biases": ["Ratings and emotions are those of the source and of who was asked there."],
        "data_use_cases": ["Supervised fine-tuning and preference training, for research."],
        "data_social_impact": "A model trained on this may sound understanding without being able "
        f"to help. Findings of crisis content in the supervised rows: {crisis}.",
        "personal_sensitive_information": [
            f"Findings of personal data in the supervised rows: {personal}.",
            KEPT_OF_RATERS,
        ],
    }


def _findings(detectors: Fact | None, name: str) -> str:
    one = detectors.get(name) if detectors is not None else None
    return "not audited" if one is None else text_of(sum(count.raw for count in one["counts"]))
