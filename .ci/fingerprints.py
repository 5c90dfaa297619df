"""What an output says, in a form that is small and the same on every processor but for rounding.

Texts, ids, counts and shapes become one hash. Numbers with a fraction become, per name, how many
there are, their norm, and four sums of all of them with fixed random signs, in units of the norm: a
number that moves by a thousandth of the norm moves a sum by as much. Processors move them by less
than a tenth of that: the kernels of OpenBLAS by 1e-14, those of torch by some 1e-5.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

# Of the norm for numbers of trained things, of the figure (or of 1, if less) for metrics.
TOLERANCE = 1e-3
SUMS = 4
# What a clock says, wherever it is noted.
CLOCK = frozenset({"tokens_per_s", "wall_s", "steps_s", "energy_j"})
# Hashes of trained weights, and ids that are made from these: other weights, another id.
OF_WEIGHTS = {
    "datasets/contests": frozenset({"id", "chosen_id", "rejected_id", "parents"}),
    "datasets/generations": frozenset({"id", "model"}),
    "datasets/rejections/generate": frozenset({"record_id"}),
    "datasets/students": frozenset({"sha256", "parents"}),
}

Leaf = tuple[str, Any]


def fingerprint(path: Path) -> dict[str, dict[str, Any]]:
    """Return the fingerprint of a file, or of every file in a folder, by path."""
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    return {one.as_posix(): _of_leaves(_leaves_of(one)) for one in files}


def _of_leaves(leaves: Iterator[Leaf]) -> dict[str, Any]:
    exact = hashlib.sha256()
    numbers: dict[str, list[float]] = {}
    for name, value in leaves:
        if isinstance(value, float):
            numbers.setdefault(_group(name), []).append(value if math.isfinite(value) else 0.0)
            said = "finite" if math.isfinite(value) else str(value)
        elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
            array = value.astype(np.float64).ravel()
            numbers.setdefault(_group(name), []).extend(np.nan_to_num(array).tolist())
            said = f"{value.shape} {np.flatnonzero(~np.isfinite(array)).tolist()}"
        elif isinstance(value, np.ndarray):
            said = f"{value.shape} {value.dtype} {value.tolist()}"
        else:
            said = json.dumps(value)
        exact.update(f"{name}\0{said}\0".encode("utf-8", "surrogatepass"))
    return {
        "exact": exact.hexdigest(),
        "numbers": {name: _sums(np.array(parts)) for name, parts in sorted(numbers.items())},
    }


def _group(name: str) -> str:
    """Return the name under which numbers are summed up: columns 1 to 384 are one embedding."""
    return name if name.endswith(".npy") else re.sub(r"\d+", "#", name)


def _sums(values: NDArray[np.float64]) -> dict[str, Any]:
    norm = float(np.linalg.norm(values))
    signs = np.random.default_rng(len(values)).integers(0, 2, (SUMS, len(values))) * 2 - 1
    sums = signs @ values / norm if norm else np.zeros(SUMS)
    return {
        "count": len(values),
        "norm": float(f"{norm:.6g}"),
        "sums": [round(float(one), 6) for one in sums],
    }


def _leaves_of(path: Path) -> Iterator[Leaf]:
    left_out = CLOCK.union(
        *(names for start, names in OF_WEIGHTS.items() if path.as_posix().startswith(start))
    )
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        yield "rows", table.num_rows
        for name in table.column_names:
            yield from _flat(table[name].to_pylist(), name, left_out)
    elif path.suffix == ".json":
        yield from _flat(json.loads(path.read_text(encoding="utf-8")), "", left_out)
    elif path.suffix == ".jsonl":
        lines = path.read_text(encoding="utf-8").splitlines()
        yield from _flat([json.loads(line) for line in lines], "", left_out)
    elif path.suffix == ".safetensors":
        from safetensors.numpy import load_file

        yield from sorted(load_file(path).items())
    elif path.suffix == ".skops":
        with ZipFile(path) as members:
            for name in members.namelist():
                content = members.read(name)
                array = name.endswith(".npy")
                yield name, np.load(BytesIO(content)) if array else content.hex()
    else:
        yield "bytes", path.read_bytes().hex()


def _flat(value: Any, name: str, left_out: frozenset[str]) -> Iterator[Leaf]:
    if name.rsplit(".", 1)[-1] in left_out:
        return
    if isinstance(value, dict):
        yield name, sorted(value.keys() - left_out)
        for key in sorted(value):
            yield from _flat(value[key], f"{name}.{key}", left_out)
    elif isinstance(value, list):
        yield name, len(value)
        for one in value:
            yield from _flat(one, name, left_out)
    else:
        yield name, value


def differences(old: Any, new: Any, where: str) -> Iterator[str]:
    """Yield what differs between two JSON values: numbers by more than the tolerance, or at all."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key not in old or key not in new:
                yield f"{where}: {key} is only {'new' if key in new else 'old'}"
            elif key not in CLOCK:
                yield from differences(old[key], new[key], f"{where}: {key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, f"{where}[{place}]")
    elif isinstance(old, float) and isinstance(new, float):
        if not math.isclose(old, new, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            yield f"{where}: was {old}, is {new}"
    elif type(old) is not type(new) or old != new:
        yield f"{where}: was {_short(old)}, is {_short(new)}"


def _short(value: Any) -> str:
    return text if len(text := json.dumps(value)) <= 80 else f"{text[:80]}..."
