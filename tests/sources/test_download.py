"""Downloads from a real server on this machine: resumable, checked, whole or not there."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline.errors import OfflineError
from pipeline.sources.download import DownloadError, download
from tests.doubles import FileServer, serving

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def part_of(folder: Path) -> Path:
    return folder / f".corpus.bin.{SHA256[:16]}.download.part"


def _broken_off(server: FileServer, target: Path) -> None:
    """Let a first download of `target` be cut short by the server."""
    server.break_after = 100_000
    with pytest.raises(DownloadError, match="bytes are kept"):
        download(server.url, target, sha256=SHA256)
    server.break_after = None


def test_brings_the_file(tmp_path: Path) -> None:
    target = tmp_path / "new" / "corpus.bin"

    with serving(CONTENT) as server:
        download(server.url, target, sha256=SHA256)

    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_what_broke_off_is_not_taken_for_the_file(tmp_path: Path) -> None:
    target = tmp_path / "corpus.bin"

    with serving(CONTENT) as server:
        _broken_off(server, target)

    assert not target.exists()


def test_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    target = tmp_path / "corpus.bin"

    with serving(CONTENT) as server:
        _broken_off(server, target)
        kept = part_of(tmp_path).stat().st_size
        download(server.url, target, sha256=SHA256)

    assert kept > 0
    assert server.asked == [None, f"bytes={kept}-"]
    assert target.read_bytes() == CONTENT


def test_begins_anew_with_a_server_that_cannot_go_on(tmp_path: Path) -> None:
    target = tmp_path / "corpus.bin"

    with serving(CONTENT, ranges=False) as server:
        _broken_off(server, target)
        download(server.url, target, sha256=SHA256)

    assert target.read_bytes() == CONTENT


def test_takes_a_part_that_was_complete_already(tmp_path: Path) -> None:
    target = tmp_path / "corpus.bin"
    part_of(tmp_path).write_bytes(CONTENT)

    with serving(CONTENT) as server:
        download(server.url, target, sha256=SHA256)

    assert target.read_bytes() == CONTENT


def test_another_file_than_expected_is_not_kept(tmp_path: Path) -> None:
    target = tmp_path / "corpus.bin"

    with (
        serving(b"something else") as server,
        pytest.raises(DownloadError, match=rf"another file than expected .*expected {SHA256}"),
    ):
        download(server.url, target, sha256=SHA256)

    assert list(tmp_path.iterdir()) == []


def test_another_file_than_expected_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "corpus.bin"
    target.write_bytes(CONTENT)

    with serving(b"wrong") as server, pytest.raises(DownloadError, match="another file"):
        download(server.url, target, sha256=SHA256)

    assert target.read_bytes() == CONTENT


def test_a_damaged_part_does_not_stand_in_the_way_for_ever(tmp_path: Path) -> None:
    target = tmp_path / "corpus.bin"
    part_of(tmp_path).write_bytes(b"damaged" * 10)

    with serving(CONTENT) as server:
        with pytest.raises(DownloadError, match="another file than expected"):
            download(server.url, target, sha256=SHA256)
        download(server.url, target, sha256=SHA256)

    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("status", [404, 500])
def test_an_error_of_the_server_is_said_with_the_address(tmp_path: Path, status: int) -> None:
    with (
        serving(CONTENT, status=status) as server,
        pytest.raises(DownloadError, match=rf"127\.0\.0\.1.*HTTPError: {status}"),
    ):
        download(server.url, tmp_path / "corpus.bin", sha256=SHA256)


def test_a_server_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with serving(CONTENT) as server:
        pass

    with pytest.raises(DownloadError, match="ConnectionError"):
        download(server.url, tmp_path / "corpus.bin", sha256=SHA256)


def test_nothing_is_fetched_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILLERY_OFFLINE", "1")

    with pytest.raises(OfflineError, match=r"example\.org.*DISTILLERY_OFFLINE=1 is set"):
        download("https://example.org/corpus.bin", tmp_path / "corpus.bin", sha256=SHA256)


def test_this_machine_is_reached_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILLERY_OFFLINE", "1")
    target = tmp_path / "corpus.bin"

    with serving(CONTENT) as server:
        download(server.url, target, sha256=SHA256)

    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["corpus.bin.part", ".corpus.bin.part"])
def test_a_part_of_somebody_else_is_neither_added_to_nor_deleted(tmp_path: Path, name: str) -> None:
    mine = tmp_path / name
    mine.write_text("years of work")

    with serving(CONTENT) as server:
        download(server.url, tmp_path / "corpus.bin", sha256=SHA256)
        with pytest.raises(DownloadError, match="another file than expected"):
            download(server.url, tmp_path / "corpus.bin", sha256="0" * 64)

    assert mine.read_text() == "years of work"


def test_this_machine_is_reached_past_every_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with serving(CONTENT) as server:
        download(server.url, tmp_path / "corpus.bin", sha256=SHA256)

    assert (tmp_path / "corpus.bin").read_bytes() == CONTENT
