"""The vectors in a raw answer of an endpoint."""

from __future__ import annotations

import base64
import json
import math
from array import array
from typing import Any, TypeAlias

from pipeline.llm.chat import BROKEN

Vector: TypeAlias = "array[float]"


def read_vector(raw: str) -> Vector:
    """Return the vector of an answer about one text; raises ValueError if there is none."""
    try:
        return vector_of(entries_of(raw)[0])
    except BROKEN as error:
        raise ValueError(f"no vector ({type(error).__name__} {error})") from error


def entries_of(raw: str) -> list[dict[str, Any]]:
    """Return the entries of an answer in the order of the texts; they may come in any."""
    return sorted(json.loads(raw)["data"], key=lambda entry: int(entry["index"]))


def vector_of(entry: dict[str, Any]) -> Vector:
    """Return an entry's numbers, sent as a list or as base64 of 32-bit floats."""
    sent = entry["embedding"]
    vector = array("f")
    if isinstance(sent, str):
        vector.frombytes(base64.b64decode(sent, validate=True))
    else:
        vector.extend(sent)
    if not vector or not all(map(math.isfinite, vector)):
        raise ValueError("a vector is empty or not finite")
    return vector
