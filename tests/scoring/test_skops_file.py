"""A saved scorer that somebody else made: refused before it is unpacked, built or walked."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from pipeline.errors import TableError
from pipeline.scoring import skops_file
from pipeline.scoring.saved import FACTS, MODEL, load
from pipeline.scoring.skops_file import SCHEMA
from tests.scoring.test_saved import NoEmbedder, saved


def repack(
    path: Path, change: Callable[[dict[str, bytes]], None], *more: tuple[str, bytes]
) -> None:
    """Change the parts of an archive; `more` are added under their names, there or not."""
    with ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, data in (*parts.items(), *more):
            archive.writestr(name, data)


def nothing(_: dict[str, bytes]) -> None:
    """Leave the parts as they are."""


def refuses(folder: Path, why: str) -> None:
    with pytest.raises(TableError, match=why):
        load(folder, NoEmbedder())


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_part_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    repack(tmp_path / MODEL, nothing, (SCHEMA, b"{}"))

    refuses(tmp_path, "'schema.json' is in it twice")


@pytest.mark.parametrize("name", ["../evil.npy", "/etc/evil.npy", "a\\evil.npy", ".evil"])
def test_a_part_whose_name_is_a_path_is_refused(tmp_path: Path, name: str) -> None:
    saved(tmp_path)
    repack(tmp_path / MODEL, nothing, (name, b""))

    refuses(tmp_path, "is not the name of a part")


def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(skops_file, "MAX_BYTES", 10_000_000)
    saved(tmp_path)
    repack(tmp_path / MODEL, nothing, ("zeros.npy", b"\0" * 20_000_000))

    assert (tmp_path / MODEL).stat().st_size < 100_000
    refuses(tmp_path, "are too much")


def test_an_archive_inside_an_archive_is_looked_at_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(skops_file, "MAX_BYTES", 10_000_000)
    inner = io.BytesIO()
    with ZipFile(inner, "w", ZIP_DEFLATED) as archive:
        archive.writestr("data.npy", b"\0" * 20_000_000)
    saved(tmp_path)
    repack(tmp_path / MODEL, nothing, ("inner.npz", inner.getvalue()))

    refuses(tmp_path, "are too much")


def test_an_array_that_says_it_is_larger_than_it_is_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    )
    saved(tmp_path)
    repack(tmp_path / MODEL, nothing, ("huge.npy", stream.getvalue()))

    refuses(tmp_path, r"an array of \(1000000000000,\) float64 in")


@pytest.mark.parametrize("model", ["DT", "RF", "boosting"])
def test_a_tree_whose_branches_lead_out_of_it_is_refused(tmp_path: Path, model: str) -> None:
    saved(tmp_path, model)

    def misdirect(parts: dict[str, bytes]) -> None:
        for name, data in parts.items():
            if name.endswith(".npy"):
                array = np.load(io.BytesIO(data))
                side = {"left", "left_child"} & set(array.dtype.names or ())
                if side:
                    array[side.pop()][0] = 10**9
                    stream = io.BytesIO()
                    np.save(stream, array)
                    parts[name] = stream.getvalue()

    repack(tmp_path / MODEL, misdirect)
    refuses(tmp_path, "branches lead elsewhere")


def test_a_model_of_other_features_than_it_says_is_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    facts = json.loads((tmp_path / FACTS).read_text())
    for name in ("names", "means", "least", "most"):
        facts[name] = facts[name][:1]
    (tmp_path / FACTS).write_text(json.dumps(facts))

    refuses(tmp_path, "not a model of this kind")


def test_what_is_no_classifier_is_refused(tmp_path: Path) -> None:
    from skops import io as skops

    saved(tmp_path)
    (tmp_path / MODEL).write_bytes(skops.dumps({"a": 1}))

    refuses(tmp_path, "not a model of this kind")
