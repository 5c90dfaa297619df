"""A connection to an Argilla server, ours or any other, and its errors in plain words."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pydantic

from pipeline.addresses import check_url, hide_key, is_key
from pipeline.annotation.form import SCHEMA
from pipeline.annotation.items import Kind
from pipeline.annotation.local_argilla import home, process
from pipeline.errors import PipelineError

PAGE = 500
TIMEOUT_S = 120
RETRIES = 2
# Headers of an answer that anything here reads.
_KEPT = ("content-type", "location")
_MARK = "empathy_distillery"


@dataclass(frozen=True)
class Address:
    """Where a server is, and the key to it."""

    url: str
    api_key: str = field(repr=False)
    workspace: str


def find_address(at: home.Home) -> Address:
    """Return ARGILLA_API_URL with ARGILLA_API_KEY if set, else the local server that is up."""
    workspace = os.environ.get("ARGILLA_WORKSPACE")
    if url := os.environ.get("ARGILLA_API_URL"):
        _check(url)
        if key := os.environ.get("ARGILLA_API_KEY", "").strip():
            if not is_key(key):
                raise PipelineError(
                    "ARGILLA_API_KEY holds characters no key can have\nCopy the key again."
                )
            return Address(url.rstrip("/"), key, workspace or home.Credentials.workspace)
        raise PipelineError("ARGILLA_API_URL is set, ARGILLA_API_KEY is not\nSet both, or neither.")
    running = process.find(at)
    if running is None:
        raise PipelineError(
            "no Argilla server: the local one is down, ARGILLA_API_URL is not set\n"
            "Start the local one: distillery annotate up"
        )
    credentials = home.read_credentials(at)
    return Address(running.url, credentials.api_key, workspace or credentials.workspace)


def _check(url: str) -> None:
    try:
        check_url(
            url,
            name="ARGILLA_API_URL",
            key_place="set ARGILLA_API_KEY",
            allowed=os.environ.get("ARGILLA_ALLOW_INSECURE") == "1",
            allow="set ARGILLA_ALLOW_INSECURE=1",
        )
    except ValueError as error:
        raise PipelineError(str(error)) from None


@contextmanager
def plain_errors(url: str) -> Iterator[None]:
    """Turn the client's exceptions into errors that say what to do, and keep it from chatting."""
    # Read when the client is imported: its bars per batch would stand beside our own.
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import httpx
    from argilla._exceptions import (
        ArgillaCredentialsError,
        ArgillaError,
        ForbiddenError,
        UnauthorizedError,
    )

    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PipelineError(
            f"{url}: the server does not answer ({type(error).__name__})\n"
            "Is it up? distillery annotate status; what arrived stays, so run the command again."
        ) from None
    except (ArgillaCredentialsError, UnauthorizedError, ForbiddenError):
        raise PipelineError(
            f"{url}: the key is refused\nCheck ARGILLA_API_KEY: an owner's is needed."
        ) from None
    except (json.JSONDecodeError, pydantic.ValidationError):
        raise PipelineError(
            f"{url}: the answer is none of Argilla's\nCheck ARGILLA_API_URL."
        ) from None
    except ArgillaError as error:
        reason = " ".join(str(error).split())[:300]
        raise PipelineError(f"{url}: the server refused this: {reason}") from None


def connect(address: Address) -> Any:
    """Return Argilla's client. Call it within `plain_errors`."""
    logging.getLogger("argilla.sdk").setLevel(logging.ERROR)
    import argilla as rg
    import httpx

    class Keyless(httpx.HTTPTransport):
        """Lets in nothing that holds the key, should a server echo it."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            text = answer.read().decode("utf-8", "surrogateescape")
            content = hide_key(address.api_key, text).encode("utf-8", "surrogateescape")
            kept = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
            return httpx.Response(answer.status_code, headers=kept, content=content)

    return rg.Argilla(
        api_url=address.url,
        api_key=address.api_key,
        timeout=TIMEOUT_S,
        mounts={"all://": Keyless(retries=RETRIES)},
    )


def dataset_name(round_number: int, *, adjudication: bool = False) -> str:
    """Return the name of a round's dataset on the server."""
    return f"empathy-round-{round_number}" + ("-adjudication" if adjudication else "")


def find_workspace(client: Any, name: str) -> Any | None:
    """Return a workspace, None if there is none."""
    return next((one for one in client.workspaces if one.name == name), None)


def find_dataset(client: Any, address: Address, name: str) -> Any | None:
    """Return a dataset of the address's workspace, None if there is none."""
    workspace = find_workspace(client, address.workspace)
    datasets = workspace.datasets if workspace else ()
    return next((one.get() for one in datasets if one.name == name), None)


def mark(client: Any, dataset: Any, kind: Kind, round_number: int) -> None:
    """Note on the dataset that it is ours, and of which shape."""
    facts = {"schema": SCHEMA, "kind": kind, "round": round_number}
    reply = client.http_client.patch(
        f"/api/v1/datasets/{dataset.id}", json={"metadata": {_MARK: facts}}
    )
    reply.raise_for_status()


def read_mark(client: Any, dataset: Any) -> dict[str, Any] | None:
    """Return what `mark` noted, None on a dataset that is not ours or was never finished."""
    reply = client.http_client.get(f"/api/v1/datasets/{dataset.id}")
    reply.raise_for_status()
    facts: dict[str, Any] | None = (reply.json().get("metadata") or {}).get(_MARK)
    return facts


def open_dataset(client: Any, address: Address, name: str) -> tuple[Any, Kind]:
    """Return a dataset that this program made, and the kind of its items."""
    dataset = find_dataset(client, address, name)
    if dataset is None:
        there = ", ".join(sorted(one.name for one in client.datasets)) or "none"
        raise PipelineError(
            f"{address.url}: no dataset {name} in workspace {address.workspace}\n"
            f"There are: {there}. Make it: distillery annotate push"
        )
    facts = read_mark(client, dataset)
    if facts is None:
        raise PipelineError(
            f"{address.url}: dataset {name} was not made by `distillery annotate push`\n"
            "It is left alone. Choose another --round, or finish a push that was interrupted."
        )
    if facts["schema"] != SCHEMA:
        raise PipelineError(
            f"{address.url}: dataset {name} has schema {facts['schema']}, not {SCHEMA}\n"
            "Pull it with the version that pushed it; push new items as another --round."
        )
    kind: Kind = facts["kind"]
    return dataset, kind


def fetch_records(client: Any, dataset: Any) -> Iterator[dict[str, Any]]:
    """Yield every record with its responses and suggestions, as the server holds them."""
    offset = 0
    while True:
        reply = client.http_client.get(
            f"/api/v1/datasets/{dataset.id}/records",
            params={"include": ["responses", "suggestions"], "offset": offset, "limit": PAGE},
        )
        reply.raise_for_status()
        page = reply.json()["items"]
        yield from page
        if len(page) < PAGE:
            return
        offset += len(page)
