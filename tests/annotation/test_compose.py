"""The production deployment: every service is there, no secret has a default, little is exposed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "argilla"
TEXT = (FOLDER / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_server_worker_and_their_stores_are_there() -> None:
    assert set(SERVICES) == {"server", "worker", "postgres", "opensearch", "redis"}


def test_every_variable_is_required_and_in_the_example_without_a_value() -> None:
    used = re.findall(r"\$\{(\w+)([^}]*)\}", TEXT)
    example = dict(
        line.split("=", 1)
        for line in (FOLDER / ".env.example").read_text().splitlines()
        if "=" in line and not line.startswith("#")
    )

    assert {rest for _, rest in used} == {":?set it in .env"}
    assert {name for name, _ in used} == set(example)
    assert set(example.values()) == {""}


def test_no_secret_is_written_down() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|KEY|SECRET", name):
                assert str(value).startswith("${"), name


def test_only_the_server_has_a_port_and_only_on_loopback() -> None:
    assert [name for name, one in SERVICES.items() if "ports" in one] == ["server"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["server"]["ports"])
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert [name for name, one in SERVICES.items() if "outside" in one["networks"]] == ["server"]


def test_images_are_pinned_and_volumes_declared() -> None:
    for name, service in SERVICES.items():
        assert re.search(r":v?\d", service["image"]), name
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in COMPOSE["volumes"]


def test_nothing_is_sent_home() -> None:
    for name in ("server", "worker"):
        assert SERVICES[name]["environment"]["ARGILLA_ENABLE_TELEMETRY"] == "0"
