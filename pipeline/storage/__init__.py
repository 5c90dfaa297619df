"""What is on disk: typed tables, and files and folders that are there whole or as they were.

Parquet between stages, JSON Lines where people read. Whoever reads sees the old table, file or
folder or the new one, never half of one. Nothing that this toolkit did not make is deleted, and no
link is followed from the name that is written.
"""

from pipeline.storage.claims import Claim, require_file
from pipeline.storage.files import AtomicFile, flush, open_log, together
from pipeline.storage.folders import MARKER, AtomicFolder
from pipeline.storage.tables import (
    BATCH_ROWS,
    RERUN,
    TableWriter,
    arrow_schema,
    count_rows,
    file_sha256,
    first_problem,
    iter_json_lines,
    open_parquet,
    read_json,
    read_json_as,
    read_json_lines,
    read_table,
    write_json,
    write_table,
)

__all__ = [
    "BATCH_ROWS",
    "MARKER",
    "RERUN",
    "AtomicFile",
    "AtomicFolder",
    "Claim",
    "TableWriter",
    "arrow_schema",
    "count_rows",
    "file_sha256",
    "first_problem",
    "flush",
    "iter_json_lines",
    "open_log",
    "open_parquet",
    "read_json",
    "read_json_as",
    "read_json_lines",
    "read_table",
    "require_file",
    "together",
    "write_json",
    "write_table",
]
