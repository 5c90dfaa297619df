"""Secrets, addresses and text queries of the local server: what needs no server to be tested."""

from __future__ import annotations

import json
import os
import stat
import traceback
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pipeline.annotation.local_argilla.home import (
    Home,
    ensure_credentials,
    home_at,
    read_credentials,
)
from pipeline.annotation.local_argilla.process import find, stop
from pipeline.annotation.local_argilla.server.text_query import parse
from pipeline.annotation.server_client import find_address
from pipeline.errors import PipelineError


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_at(tmp_path / "argilla")


def test_secrets_are_random_kept_and_the_owners_alone(home: Home) -> None:
    first = ensure_credentials(home)

    assert ensure_credentials(home) == first
    assert len({first.password, first.api_key, first.auth_secret}) == 3
    assert stat.S_IMODE(home.credentials_file.stat().st_mode) == 0o600
    assert first != ensure_credentials(home_at(home.root / "other"))


@pytest.mark.parametrize("field", ["password", "api_key", "auth_secret"])
@pytest.mark.parametrize("weak", ["argilla.apikey", "12345678", "short"])
def test_a_default_password_or_key_is_refused(home: Home, field: str, weak: str) -> None:
    strong = ensure_credentials(home)
    home.credentials_file.write_text(json.dumps(asdict(replace(strong, **{field: weak}))))

    with pytest.raises(PipelineError, match=f"{field} is a well-known default, or shorter"):
        ensure_credentials(home)


def test_a_file_that_others_can_read_is_refused(home: Home) -> None:
    ensure_credentials(home)
    home.credentials_file.chmod(0o644)

    with pytest.raises(PipelineError, match="others can read it"):
        read_credentials(home)


SECRET = "canary-" * 4


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"\xff\xfe" + SECRET.encode(),
        b"[" * 100_000,
        f'{{"password": "{SECRET}"'.encode(),
        f'{{"{SECRET}": 1}}'.encode(),
        *(
            json.dumps(
                dict.fromkeys(("username", "password", "api_key", "auth_secret"), SECRET) | change
            ).encode()
            for change in (
                {"password": 5},
                {"password": [SECRET]},
                {"auth_secret": None},
                {"api_key": f"{SECRET}é"},
                {"username": {}},
                {"workspace": 5},
            )
        ),
    ],
)
def test_damaged_secrets_are_an_error_that_shows_none(home: Home, content: bytes) -> None:
    ensure_credentials(home)
    home.credentials_file.write_bytes(content)

    with pytest.raises(PipelineError, match="not the server's secrets") as caught:
        read_credentials(home)
    assert "canary" not in "".join(traceback.format_exception(caught.value, chain=True))
    assert caught.value.__context__ is None


def test_a_pipe_in_the_place_of_the_secrets_is_not_waited_for(home: Home) -> None:
    home.root.mkdir()
    os.mkfifo(home.credentials_file, 0o600)

    with pytest.raises(PipelineError, match="not a regular file"):
        read_credentials(home)


@pytest.mark.parametrize("key", ["canary-é", "canary\n77", "canary\\77"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_repeated(
    home: Home, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("ARGILLA_API_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ARGILLA_API_KEY", key)

    with pytest.raises(PipelineError, match="ARGILLA_API_KEY holds characters") as caught:
        find_address(home)
    assert "canary" not in str(caught.value)


def test_without_a_server_nothing_is_found_or_stopped(home: Home) -> None:
    assert find(home) is None
    assert stop(home) is False


def test_the_address_comes_from_the_environment_first(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGILLA_API_URL", "http://127.0.0.1:1/")
    with pytest.raises(PipelineError, match="ARGILLA_API_KEY is not"):
        find_address(home)
    monkeypatch.setenv("ARGILLA_API_KEY", "a-key")

    assert find_address(home).url == "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://me:canary-77@argilla.example.org", "must not carry credentials"),
        ("https://me:canary/77@argilla.example.org", "must not carry credentials"),
        ("https://me:canary-77@argilla\u2100.example.org", "must not carry credentials"),
        ("https://argilla.example.org/?key=canary-77", "must not carry credentials"),
        ("https://argilla.example.org:canary-77", r"must be http\(s\)"),
        ("http://argilla.example.org", "set ARGILLA_ALLOW_INSECURE=1"),
        ("ftp://argilla.example.org", r"must be http\(s\)"),
        ("argilla.example.org", r"must be http\(s\)"),
    ],
)
def test_an_address_with_a_password_or_in_the_clear_is_refused_and_not_repeated(
    home: Home, monkeypatch: pytest.MonkeyPatch, url: str, problem: str
) -> None:
    monkeypatch.setenv("ARGILLA_API_URL", url)
    monkeypatch.setenv("ARGILLA_API_KEY", "a-key")

    with pytest.raises(PipelineError, match=problem) as caught:
        find_address(home)
    shown = "".join(traceback.format_exception(caught.value, chain=True))
    assert not any(word in shown for word in ("canary", "me:"))


def test_plain_http_to_another_machine_can_be_allowed(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGILLA_API_URL", "http://10.0.0.7:6900")
    monkeypatch.setenv("ARGILLA_API_KEY", "a-key")
    monkeypatch.setenv("ARGILLA_ALLOW_INSECURE", "1")

    address = find_address(home)
    assert address.url == "http://10.0.0.7:6900"
    assert "a-key" not in repr(address)


def test_no_server_at_all_names_the_next_command(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARGILLA_API_URL", raising=False)

    with pytest.raises(PipelineError, match="Start the local one: distillery annotate up"):
        find_address(home)


FIELDS = {
    "text": "The green boat sails. Green, very green!",
    "chat": [{"role": "user", "content": "ahoy"}],
}


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("boat", True),
        ("BOAT green", True),
        ("boat red", False),
        ('"green boat"', True),
        ('"boat green"', False),
        ("-red", True),
        ("-green", False),
        ("sai*", True),
        ("sai", False),
        ("ahoy", True),
        ("", True),
    ],
)
def test_a_text_query_needs_all_its_parts(query: str, matches: bool) -> None:
    assert (parse(query).score(FIELDS) is not None) == matches


def test_a_query_can_be_limited_to_a_field_and_more_hits_score_more() -> None:
    assert parse("ahoy", "text").score(FIELDS) is None
    assert (parse("green").score(FIELDS) or 0) > (parse("boat").score(FIELDS) or 0)
