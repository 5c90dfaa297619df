"""Small files that stand for gigabytes, and a process that is not given them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
_READ = """
import resource, sys
from pathlib import Path
from pipeline.errors import PipelineError
{imports}
pages = int(Path("/proc/self/statm").read_text().split()[0])
most = pages * resource.getpagesize() + {mib} * 1024**2
resource.setrlimit(resource.RLIMIT_AS, (most, most))
path = Path(sys.argv[1])
try:
    print("read", {call})
except PipelineError as error:
    print("refused", str(error).replace(chr(10), " "))
"""


def read_within(mib: int, imports: str, call: str, path: Path) -> str:
    """Return what `call` comes to in a process that gets `mib` MiB beside its libraries."""
    code = _READ.format(imports=imports, mib=mib, call=call)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def one_text_many_times(path: Path, *, mib: int = 32, rows: int = 256) -> Path:
    """Write a few hundred bytes: a dictionary of one long text, which every row names."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["a" * (mib << 20)])
    pq.write_table(
        pa.table({"text": texts}),
        path,
        compression="brotli",
        dictionary_pagesize_limit=1 << 30,
        write_statistics=False,
        store_schema=False,
    )
    return path


def a_list_of_nothing(path: Path, *, items: int) -> Path:
    """Write a row whose list has so many nulls."""
    nulls = pa.ListArray.from_arrays(pa.array([0, items], pa.int32()), pa.nulls(items, pa.int64()))
    pq.write_table(
        pa.table({"text": ["I hear you."], "list": nulls}),
        path,
        compression="zstd",
        write_statistics=False,
    )
    return path


def long_prefixes(path: Path, *, mib: int = 8, rows: int = 140) -> Path:
    """Write a long text once; each next value says that it begins as the one before it."""
    pq.write_table(
        pa.table({"text": ["a" * (mib << 20)] * rows}),
        path,
        use_dictionary=False,
        column_encoding={"text": "DELTA_BYTE_ARRAY"},
        compression="zstd",
        write_statistics=False,
    )
    return path


def with_another_footer(path: Path, number: int, other: int) -> Path:
    """Say `other` where the footer says `number`, in as many bytes (Thrift's zigzag varints)."""
    data = bytearray(path.read_bytes())
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    told = _varint(number)
    place = data.find(told, footer)
    while place >= 0:
        data[place : place + len(told)] = _varint(other, len(told))
        place = data.find(told, place + 1)
    path.write_bytes(data)
    return path


def _varint(number: int, length: int = 0) -> bytes:
    zigzag, digits = number << 1, []
    while zigzag or not digits or len(digits) < length:
        digits.append(zigzag & 127)
        zigzag >>= 7
    return bytes([*(digit | 128 for digit in digits[:-1]), digits[-1]])
