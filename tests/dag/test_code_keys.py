"""A stage's key moves with the code that it imports and the files beside it, and with no other."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.code_keys import code_keys, stage_names

FILES = {
    "__init__.py": "",
    "stages/__init__.py": "",
    "stages/one.py": "from house.deep.near import value\ndef run(): ...\n",
    "stages/two.py": "def run():\n    from house.far import value\n",
    "stages/shared.py": "no_stage = 1\n",
    "deep/__init__.py": "",
    "deep/near.py": "from house.base import value\n",
    "deep/texts/prompt.yaml": "text: how are you\n",
    "base.py": "value = 1\n",
    "far.py": "value = 2\n",
    "unused.py": "value = 3\n",
}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, text in FILES.items():
        file = tmp_path / "house" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / "house"
    sys.modules.pop("house", None)


def moved_by(house: Path, name: str) -> set[str]:
    """Return the stages whose key an edit of the file `name` moves."""
    before = code_keys(house, ["one", "two"])
    with (house / name).open("a", encoding="utf-8") as file:
        file.write("# edited\n")
    after = code_keys(house, ["one", "two"])
    return {stage for stage in before if before[stage] != after[stage]}


@pytest.mark.parametrize(
    ("edited", "moved"),
    [
        ("stages/one.py", {"one"}),
        ("deep/near.py", {"one"}),
        ("deep/__init__.py", {"one"}),
        ("deep/texts/prompt.yaml", {"one"}),
        ("base.py", {"one"}),
        ("far.py", {"two"}),
        ("unused.py", set()),
        ("stages/shared.py", set()),
        ("__init__.py", set()),
    ],
)
def test_an_edit_moves_the_keys_of_what_imports_it(
    house: Path, edited: str, moved: set[str]
) -> None:
    assert moved_by(house, edited) == moved


def test_a_stage_is_a_module_with_a_run(house: Path) -> None:
    assert stage_names(house) == ["one", "two"]


def test_compiled_code_and_leftovers_move_nothing(house: Path) -> None:
    before = code_keys(house, ["one"])
    for name in ("deep/__pycache__/near.cpython-311.pyc", "deep/.prompt.x1.part"):
        file = house / name
        file.parent.mkdir(exist_ok=True)
        file.touch()

    assert code_keys(house, ["one"]) == before


def test_a_new_file_beside_the_code_moves_the_key(house: Path) -> None:
    before = code_keys(house, ["one", "two"])
    (house / "deep" / "texts" / "other.yaml").touch()
    after = code_keys(house, ["one", "two"])

    assert before["one"] != after["one"]
    assert before["two"] == after["two"]
