"""The production deployment: every service is there, no secret has a default, little is exposed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "argilla"
TEXT = (FOLDER / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
EXAMPLE = dict(
    line.split("=", 1)
    for line in (FOLDER / ".env.example").read_text().splitlines()
    if "=" in line and not line.startswith("#")
)


def test_server_worker_and_their_stores_are_there() -> None:
    assert set(SERVICES) == {"server", "worker", "postgres", "opensearch", "redis"}


def test_every_variable_is_required_and_in_the_example_without_a_value() -> None:
    used = re.findall(r"\$\{(\w+)([^}]*)\}", TEXT)

    assert {rest for _, rest in used} == {":?set it in .env"}
    assert {name for name, _ in used} == set(EXAMPLE)
    assert set(EXAMPLE.values()) == {""}
    assert not re.search(r"(?<!\$)\$(?![{$])", TEXT)  # a bare $NAME would be empty when unset


def test_no_secret_is_written_down() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|KEY|SECRET", name):
                assert str(value).startswith("${"), name
            assert not re.search(r"://[^/${]*:[^/$@{]+@", str(value)), name


def test_only_the_server_has_a_port_and_only_on_loopback() -> None:
    assert [name for name, one in SERVICES.items() if "ports" in one] == ["server"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["server"]["ports"])
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert [name for name, one in SERVICES.items() if "outside" in one["networks"]] == ["server"]
    assert not any(one.get("network_mode") or one.get("privileged") for one in SERVICES.values())


def test_images_are_pinned_by_tag_and_volumes_declared() -> None:
    for name, service in SERVICES.items():
        assert re.search(r":v?\d+[\w.-]*$", service["image"]), name
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in COMPOSE["volumes"]
        assert all(network in COMPOSE["networks"] for network in service["networks"])


def test_server_and_client_are_of_one_version() -> None:
    lock = (FOLDER.parents[1] / "requirements.lock").read_text()
    version = re.search(r"^argilla==(\S+)", lock, re.M)

    assert version
    assert SERVICES["server"]["image"] == f"argilla/argilla-server:v{version[1]}"
    assert SERVICES["worker"]["image"] == SERVICES["server"]["image"]


def test_what_waits_for_a_store_waits_until_it_is_healthy() -> None:
    for name in ("server", "worker"):
        waits = SERVICES[name]["depends_on"]
        assert set(waits) == {"postgres", "opensearch", "redis"}
        assert {one["condition"] for one in waits.values()} == {"service_healthy"}
        assert all("healthcheck" in SERVICES[store] for store in waits)


def test_nothing_is_sent_home() -> None:
    for name in ("server", "worker"):
        assert SERVICES[name]["environment"]["ARGILLA_ENABLE_TELEMETRY"] == "0"


# The keys of the compose specification that this file may use; a misspelt one is not known.
KEYS: dict[str, set[str]] = {
    "": {"name", "services", "networks", "volumes", "x-argilla"},
    "service": {
        *("command", "depends_on", "environment", "healthcheck", "image", "networks", "ports"),
        *("restart", "ulimits", "volumes"),
    },
    "healthcheck": {"test", "interval", "retries", "timeout", "start_period"},
}


def strange_keys() -> Iterator[str]:
    yield from set(COMPOSE) - KEYS[""]
    for service in SERVICES.values():
        yield from set(service) - KEYS["service"]
        yield from set(service.get("healthcheck", {})) - KEYS["healthcheck"]


def test_every_key_is_one_of_the_specification() -> None:
    assert list(strange_keys()) == []
    assert all(one["restart"] == "unless-stopped" for one in SERVICES.values())
    for service in SERVICES.values():
        assert all(isinstance(value, str) for value in service.get("environment", {}).values())


def test_no_key_is_there_twice_and_the_text_is_tidy() -> None:
    class Strict(yaml.SafeLoader):
        """Refuses what the plain loader lets the last one win."""

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, Any]:
        names = [key.value for key, _ in node.value if key.value != "<<"]
        assert len(names) == len(set(names)), f"line {node.start_mark.line + 1}: {names}"
        loader.flatten_mapping(node)
        return {loader.construct_object(k): loader.construct_object(v) for k, v in node.value}

    Strict.add_constructor("tag:yaml.org,2002:map", mapping)
    yaml.load(TEXT, Loader=Strict)

    lines = TEXT.split("\n")
    assert "\t" not in TEXT
    assert [line for line in lines if line != line.rstrip() or len(line) > 120] == []
    assert TEXT.endswith("\n")
    assert not TEXT.endswith("\n\n")


def compose(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Ask docker what it makes of the file; skip where its compose plug-in is not installed."""
    docker = shutil.which("docker")
    if not docker:
        pytest.skip("docker is not installed")
    there = subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
    if there.returncode:
        pytest.skip("docker is here without its compose plug-in")
    shutil.copy(FOLDER / "compose.yaml", folder)
    return subprocess.run(
        [docker, "compose", "config"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_docker_takes_the_file_with_all_variables_set(tmp_path: Path) -> None:
    done = compose(tmp_path, **dict.fromkeys(EXAMPLE, "0123456789abcdef"))

    assert done.returncode == 0, done.stderr
    assert set(yaml.safe_load(done.stdout)["services"]) == set(SERVICES)


@pytest.mark.parametrize("unset", EXAMPLE)
def test_docker_refuses_the_file_with_a_variable_unset(tmp_path: Path, unset: str) -> None:
    rest = {name: "0123456789abcdef" for name in EXAMPLE if name != unset}

    done = compose(tmp_path, **rest)

    assert done.returncode != 0
    assert unset in done.stderr
