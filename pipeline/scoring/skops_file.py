"""Reading a skops file that anybody may have made: nothing is run, and nothing takes too much.

The archive is looked at before it is unpacked, its types before anything is built, and what native
code will walk (trees, support vectors) before it walks it.
"""

from __future__ import annotations

import math
import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, LargeZipFile, ZipFile

import numpy as np

from pipeline.errors import MissingFileError, TableError
from pipeline.unfolding.json_text import parse_json

SCHEMA = "schema.json"
RETRAIN = "Train it again: dvc repro train_scorer"
TRUSTED = frozenset(
    {
        # What the classifiers of `CLASSIFIERS` are made of, beside what skops trusts by itself:
        # plain data, whose loading calls nothing that a file could choose.
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.tree._tree.Tree",
        "pipeline.scoring.ordinal.OrdinalLogistic",
        "pipeline.scoring.ordinal.RidgeOrdinal",
    }
)
# A forest of the sample is 20 MB; what is larger is none of ours.
MAX_BYTES = 512 * 1024**2
MAX_MEMBERS = 10_000
# What zipfile, numpy, skops and scikit-learn raise for a file that is not what it says.
DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BadZipFile,
    EOFError,
    ImportError,
    LargeZipFile,
    LookupError,
    MemoryError,
    OSError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def read_skops(path: Path) -> Any:
    """Return what a skops file holds, without running anything that it brings along.

    Raises TableError for a damaged or too large one, and for types that are not `TRUSTED`.
    """
    from skops import io

    if not path.is_file():
        raise MissingFileError(path, hint=RETRAIN)
    if path.stat().st_size > MAX_BYTES:
        raise TableError(path, f"over {MAX_BYTES // 1024**2} MiB", hint=RETRAIN)
    try:
        data = path.read_bytes()
        _check_archive(path, data)
        strange = sorted(set(io.get_untrusted_types(data=data)) - TRUSTED)
        if not strange:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = io.loads(data, trusted=sorted(TRUSTED))
            for part in _parts(value):
                _check_structure(part)
            return value
    except DAMAGE as error:
        what = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise TableError(path, f"not a saved model ({what})", hint=RETRAIN) from error
    raise TableError(
        path,
        f"it names types that are not loaded: {', '.join(strange)[:500]}",
        hint="Use only models from a source that you trust, or train your own.",
    )


def _check_archive(path: Path, data: bytes) -> None:
    """Raise ValueError for an archive that unpacks to too much or says a thing twice.

    zipfile gives no more of a member than the size that it declares, so that size is the bound.
    """
    with ZipFile(BytesIO(data)) as archive:
        members = archive.infolist()
        twice = [
            name for name, count in Counter(one.filename for one in members).items() if count > 1
        ]
        if twice:
            raise ValueError(f"{twice[0][:60]!r} is in it twice")
        size = sum(one.file_size for one in members)
        if size > MAX_BYTES or len(members) > MAX_MEMBERS:
            raise ValueError(f"{len(members):,} files of {size:,} bytes are too much")
        for one in members:
            name = one.filename
            if "/" in name or "\\" in name or name.startswith("."):
                raise ValueError(f"{name[:60]!r} is not the name of a part")
            if name == SCHEMA:
                parse_json(path, archive.read(name))
            elif name.endswith(".npy"):
                _check_array(archive.read(name))
            elif name.endswith(".npz"):
                _check_archive(path, archive.read(name))


def _check_array(data: bytes) -> None:
    """Raise ValueError for an array that says it is larger than what there is of it."""
    stream = BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, _, dtype = read(stream)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize > len(data):
        raise ValueError(f"an array of {shape} {dtype} in {len(data)} bytes")


def _parts(value: Any) -> Iterator[Any]:
    """Yield `value` and all objects in it, each once."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, str | bytes | int | float | complex | type):
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list | tuple | set | frozenset):
            waiting += part
        elif isinstance(part, np.ndarray):
            waiting += part.ravel().tolist() if part.dtype.hasobject else []
        else:
            waiting += getattr(part, "__dict__", {}).values()


def _check_structure(part: Any) -> None:
    """Raise ValueError for numbers that native code would follow out of its memory."""
    kind = type(part).__name__
    if kind == "Tree":
        _check_nodes(part.children_left, part.children_right, part.feature, part.n_features)
    elif hasattr(part, "tree_") and part.tree_.n_features != part.n_features_in_:
        raise ValueError("a tree of other features than its classifier")
    elif hasattr(part, "_predictors"):
        for tree in (tree for step in part._predictors for tree in step):
            nodes = tree.nodes
            leaf = nodes["is_leaf"].astype(bool)
            left, right = (
                np.where(leaf, -1, nodes[side].astype(int)) for side in ("left", "right")
            )
            _check_nodes(left, right, nodes["feature_idx"].astype(int), part.n_features_in_)
            if nodes["is_categorical"].any():
                raise ValueError("a tree that splits by category")
    elif kind == "SVC":
        vectors, per_class = part.support_vectors_, np.asarray(part._n_support)
        whole = (
            len(part.support_) == len(vectors) == per_class.sum()
            and (per_class >= 0).all()
            and part._dual_coef_.shape == (len(per_class) - 1, len(vectors))
            and len(per_class) == len(part.classes_)
            and len(part._intercept_) == len(per_class) * (len(per_class) - 1) // 2
            and vectors.ndim == 2
            and vectors.shape[1] == part.n_features_in_
        )
        if not whole:
            raise ValueError("support vectors that do not fit together")


def _check_nodes(left: Any, right: Any, feature: Any, features: int) -> None:
    """Raise ValueError unless children come after their parents and features are there."""
    places = np.arange(len(left))
    inner = left != -1
    children = np.stack([left[inner], right[inner]])
    if not len(left) or (children <= places[inner]).any() or (children >= len(left)).any():
        raise ValueError("a tree whose branches lead elsewhere")
    used = feature[inner]
    if (used < 0).any() or (used >= features).any():
        raise ValueError("a tree that asks for a feature that is not there")
