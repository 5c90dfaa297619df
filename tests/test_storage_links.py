"""A link planted where something is written leads nowhere: what it points at stays as it is."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.annotation.local_argilla.home import ensure_credentials, home_at
from pipeline.annotation.push import _keep_passwords
from pipeline.annotation.rounds import write_round
from pipeline.annotation.transfer import write_labels
from pipeline.cli import stopped
from pipeline.errors import PipelineError
from pipeline.features.embeddings import CachedEmbedder
from pipeline.llm.ledger import Ledger
from pipeline.pages import write_page
from pipeline.records import Exchange
from pipeline.sources.download import download
from pipeline.storage import AtomicFolder, open_log, write_json, write_table
from pipeline.workspace import _mirror
from tests.doubles import serving
from tests.examples import LOST_JOB

MINE = b"mine"


class Zeros:
    """Embeds nothing."""

    name = "zeros"

    def embed(self, texts: list[str]) -> np.ndarray:
        """Return zeros."""
        return np.zeros((len(texts), 2))


def _fetch(path: Path) -> None:
    content = b"raw"
    with serving(content) as server:
        download(server.url, path, sha256=hashlib.sha256(content).hexdigest())


def _note(path: Path) -> None:
    os.environ["DVC_STAGE"] = path.name
    try:
        with contextlib.chdir(path.parents[2]), contextlib.suppress(ValueError), stopped.noted():
            raise ValueError("why")
    finally:
        del os.environ["DVC_STAGE"]


def _folder(path: Path) -> None:
    with AtomicFolder(path, what="cards", known=lambda _: True) as folder:
        (folder / "card").touch()


def _copy(path: Path) -> None:
    _mirror(Path(__file__), path)


WRITERS: dict[str, Callable[[Path], object]] = {
    "figures.json": lambda path: write_json(path, {"rows": 1}),
    "rows.parquet": lambda path: write_table(path, Exchange, [LOST_JOB]),
    "index.html": lambda path: write_page(path, "<html>"),
    "1.jsonl": lambda path: write_round(path, []),
    "labels.jsonl": lambda path: write_labels(path, []),
    "accounts.json": lambda path: _keep_passwords(path, {"ann": "secret"}),
    "credentials.json": lambda path: ensure_credentials(home_at(path.parent)),
    "ledger.sqlite": lambda path: Ledger(path).close(),
    "embeddings.sqlite": lambda path: CachedEmbedder(Zeros(), path).embed(["a"]),
    "corpus.csv": _fetch,
    "ingest": _note,
    "server.log": lambda path: open_log(path).close(),
    "cards": _folder,
    "dvc.yaml": _copy,
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("planted", ["{}", ".{}.part", "{}.part", ".{}.writer.part"])
@pytest.mark.parametrize("there", ["file", "folder", "nothing"])
def test_nothing_is_written_through_a_link(
    tmp_path: Path, name: str, planted: str, there: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_bytes(MINE)
    (elsewhere / "folder").mkdir()
    (elsewhere / "folder" / "thesis").write_bytes(MINE)
    path = tmp_path / ".distillery" / "stopped" / name
    path.parent.mkdir(parents=True)
    link = path.with_name(planted.format(name))
    link.symlink_to(elsewhere / there)

    with contextlib.suppress(PipelineError):
        WRITERS[name](path)

    assert link.is_symlink()
    assert {one.relative_to(elsewhere).as_posix() for one in elsewhere.rglob("*")} == {
        *("file", "folder", "folder/thesis")
    }
    assert (elsewhere / "file").read_bytes() == MINE
    assert (elsewhere / "folder" / "thesis").read_bytes() == MINE
    if planted == "{}" and not (name == "credentials.json" and there != "nothing"):
        # A ledger may be reached by a link, as workspaces that share one do; this is none.
        said = "ledger" if name == "ledger.sqlite" else "a link, not a (file|folder)"
        with pytest.raises(PipelineError, match=said):
            WRITERS[name](path)
