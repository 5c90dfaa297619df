"""Fetch a public file: resumable, checked by hash, whole or not there."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.addresses import is_loopback
from pipeline.errors import OfflineError, PipelineError
from pipeline.progress import track
from pipeline.storage import Claim, file_sha256, flush, open_log, require_file

# What is lost at most when a connection breaks off.
CHUNK_BYTES = 1 << 16
TIMEOUT_S = 60


class DownloadError(PipelineError):
    """A file could not be fetched, or is not the one that was meant."""


def download(url: str, target: Path, *, sha256: str) -> None:
    """Bring `url` to `target`; a download that broke off before goes on where it stopped.

    Raises DownloadError if the server answers with an error or the file has another hash, in which
    case nothing is left at `target`.
    """
    if os.environ.get("DISTILLERY_OFFLINE") == "1" and "//127.0.0.1" not in url:
        raise OfflineError(f"{url}: not fetched, because DISTILLERY_OFFLINE=1 is set")
    # The one name that stays, so that what broke off is found again; nobody gives it to a file of
    # their own, as they may `.part`.
    part = target.with_name(f".{target.name}.{sha256[:16]}.download.part")
    for path in (target, part):
        require_file(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with Claim(target):
        _receive(url, part)
        found = file_sha256(part)
        if found != sha256:
            part.unlink()
            raise DownloadError(
                f"{url}: another file than expected (sha256 {found}, expected {sha256})\n"
                "The source may have changed, or the download was damaged. Try again; if it stays "
                "so, report it."
            )
        flush(part)
        os.replace(part, target)


def _receive(url: str, part: Path) -> None:
    import requests

    have = part.stat().st_size if part.is_file() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    host = urlsplit(url).hostname or ""
    # No proxy has any business between this machine and itself.
    past = {"no_proxy": host} if is_loopback(host) else None
    try:
        with requests.get(
            url, headers=headers, stream=True, timeout=TIMEOUT_S, proxies=past
        ) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                return  # all of it is here already; the hash decides
            answer.raise_for_status()
            resumed = answer.status_code == requests.codes.partial_content
            left = answer.headers.get("Content-Length")
            chunks = answer.iter_content(CHUNK_BYTES)
            total = -(-int(left) // CHUNK_BYTES) if left else None
            with open_log(part, anew=not resumed) as stream:
                for chunk in track(
                    chunks, f"fetching {url.rpartition('/')[2]} (blocks of 64 KiB)", total=total
                ):
                    stream.write(chunk)
    except requests.RequestException as error:
        kept = part.stat().st_size if part.is_file() else 0
        raise DownloadError(
            f"{url}: {type(error).__name__}: {error}\n"
            f"{kept:,} bytes are kept. Run the same command again to go on."
        ) from error
