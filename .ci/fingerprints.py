"""What an output says, in a form that is small and the same on every processor but for rounding.

Texts, ids, counts and shapes become one hash. Of numbers with a fraction, per name, a short list is
kept itself, in five digits. A long one is cut into blocks, and of each are kept the norm and some
sums with fixed random weights: what moves one number, or swaps two, by a tenth of what is usual in
its block moves a sum by more than a thousandth of the norm. Processors move either by less than a
tenth of that: the kernels of OpenBLAS by 1e-14, those of torch by some 1e-5.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import zlib
from base64 import b85decode, b85encode
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

# Of a kept number itself, or of the norm of its block.
TOLERANCE = 1e-3
# Of the median in a short list, which a few large ones do not move: a kernel was seen to move
# numbers that are next to nothing by a fifth of this.
NOISE = 3e-3
# What is nothing, where all else is nothing too.
NOTHING = 1e-12
SHORT, BLOCK, SUMS = 5000, 256, 4
# Of a metric, which besides may move by one in its last digit.
OF_METRIC = 1e-4
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
            odd = ~np.isfinite(array)
            numbers.setdefault(_group(name), []).extend(np.where(odd, 0.0, array).tolist())
            said = f"{value.shape} {np.flatnonzero(odd).tolist()} {array[odd].tolist()}"
        elif isinstance(value, np.ndarray):
            said = f"{value.shape} {value.dtype} {value.tolist()}"
        else:
            said = json.dumps(value)
        exact.update(f"{name}\0{said}\0".encode("utf-8", "surrogatepass"))
    return {
        "exact": exact.hexdigest(),
        "numbers": {name: _kept(np.array(parts)) for name, parts in sorted(numbers.items())},
    }


def _group(name: str) -> str:
    """Return the name under which numbers are kept: columns 1 to 384 are one embedding."""
    return name if name.endswith(".npy") else re.sub(r"\d+", "#", name)


def _kept(values: NDArray[np.float64]) -> dict[str, Any]:
    """Return how many `values` there are and, packed, these or a row of sums per block."""
    rows = values if len(values) <= SHORT else _sums(values).ravel()
    text = " ".join(f"{one:.5g}" for one in rows)
    return {"count": len(values), "kept": b85encode(zlib.compress(text.encode(), 9)).decode()}


def _sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return per block of `values` a row of its norm and `SUMS` sums."""
    weighted = np.random.default_rng(len(values)).normal(size=(SUMS, len(values))) * values
    starts = np.arange(0, len(values), BLOCK)
    norms = np.sqrt(np.add.reduceat(values**2, starts))
    return np.column_stack([norms, *np.add.reduceat(weighted, starts, axis=1)])


def _unpacked(kept: str) -> NDArray[np.float64]:
    return np.array(zlib.decompress(b85decode(kept)).decode().split(), dtype=np.float64)


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


def apart(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Yield what differs between two outputs' fingerprints by more than kernels round."""
    for path in sorted(old.keys() | new.keys()):
        one, other = ({**said.get(path, {})} for said in (old, new))
        before, after = one.pop("numbers", {}), other.pop("numbers", {})
        yield from differences(one, other, path)
        for name in sorted(before.keys() | after.keys()):
            if name not in before or name not in after:
                yield f"{path}: {name} is only {'new' if name in after else 'old'}"
            else:
                yield from _moved(before[name], after[name], f"{path}: {name}")


def _moved(old: dict[str, Any], new: dict[str, Any], where: str) -> Iterator[str]:
    if old["count"] != new["count"]:
        yield f"{where}: were {old['count']} numbers, are {new['count']}"
        return
    before, after = _unpacked(old["kept"]), _unpacked(new["kept"])
    if short := old["count"] <= SHORT:
        usual = np.median(abs(before[before != 0])) if before.any() else 0.0
        allowed = TOLERANCE * np.maximum(abs(before), abs(after)) + NOISE * usual
    else:
        allowed = TOLERANCE * np.repeat(before[:: SUMS + 1], SUMS + 1)
    moved = np.flatnonzero(~(abs(after - before) <= allowed + NOTHING))
    if moved.size:
        first = moved[0]
        place = f"[{first}]" if short else f"[{first // (SUMS + 1) * BLOCK}...], a sum"
        told = f"was {before[first]:g}, is {after[first]:g}"
        yield f"{where}{place}: {told}; {moved.size} of {before.size} moved"


def differences(old: Any, new: Any, where: str) -> Iterator[str]:
    """Yield what differs between two JSON values: metrics by more than rounding, the rest at all.

    Notes
    -----
    A metric is noted in so many digits: rounding may move the last of these by one, and no more.
    """
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
        if not (old == new or abs(old - new) <= _allowed(old, new)):
            yield f"{where}: was {old}, is {new}"
    elif type(old) is not type(new) or old != new:
        yield f"{where}: was {_short(old)}, is {_short(new)}"


def _allowed(old: float, new: float) -> float:
    finite = [one for one in (old, new) if math.isfinite(one)]
    if len(finite) < 2:
        return 0.0
    last = min(int(Decimal(str(one)).as_tuple().exponent) for one in finite)
    return max(OF_METRIC * max(abs(old), abs(new)), 1.01 * 10.0**last, NOTHING)


def _short(value: Any) -> str:
    return text if len(text := json.dumps(value)) <= 80 else f"{text[:80]}..."
