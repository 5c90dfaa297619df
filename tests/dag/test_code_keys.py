"""A stage's key moves with the code that it imports and the files beside it, and with no other."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.code_keys import PACKAGE, CodeError, code_keys, stage_names
from pipeline.dag.graph import read_stages
from pipeline.declare import Page

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
        ("__init__.py", {"one", "two"}),
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


LOOKS = (
    "pages/style.css",
    "pages/page.py",
    "pages/templates/page.html.j2",
    "reporting/annotation_page/templates/annotation.html.j2",
    "reporting/audit_page/report.js",
    "reporting/audit_page/templates/audit.html.j2",
    "reporting/comparison/templates/comparison.html.j2",
    "reporting/reward.py",
    "reporting/student_curves.py",
    "reporting/validation_page/templates/validation.html.j2",
)
SHOW_MOVED = """
import json, sys
from pathlib import Path
from pipeline.code_keys import PACKAGE, CodeError, code_keys, stage_names
before = code_keys(PACKAGE, stage_names())
for name in sys.argv[1:]:
    with (PACKAGE / name).open("a", encoding="utf-8") as file:
        file.write("\\n")
after = code_keys(PACKAGE, stage_names())
print(json.dumps([stage for stage in before if before[stage] != after[stage]]))
"""


def test_a_file_of_a_package_that_is_imported_itself_counts(house: Path) -> None:
    """Without a module of it: the `__init__` alone is imported."""
    (house / "stages" / "one.py").write_text("import house.deep\ndef run(): ...\n")

    assert moved_by(house, "deep/texts/prompt.yaml") == {"one"}


def test_what_the_init_of_a_package_imports_counts(house: Path) -> None:
    (house / "deep" / "__init__.py").write_text("from house import unused\n")

    assert moved_by(house, "unused.py") == {"one"}


def test_a_file_at_the_top_counts_for_every_stage(house: Path) -> None:
    (house / "words.txt").write_text("kind\n")

    assert moved_by(house, "words.txt") == {"one", "two"}


def test_what_is_left_of_a_package_that_became_a_module_does_not_matter(house: Path) -> None:
    (house / "far" / "__pycache__").mkdir(parents=True)

    assert moved_by(house, "far.py") == {"two"}


def test_what_editors_leave_moves_nothing(house: Path) -> None:
    before = code_keys(house, ["one", "two"])
    for name in (".near.py.swp", "near.py~", "near.py.orig"):
        (house / "deep" / name).touch()
    (house / "stages" / ".#one.py").symlink_to("nowhere")

    assert code_keys(house, ["one", "two"]) == before
    assert stage_names(house) == ["one", "two"]


def test_a_file_that_is_no_python_is_named_with_its_line(house: Path) -> None:
    (house / "far.py").write_text("value = 1\ndef (\n")

    with pytest.raises(CodeError, match=r"far\.py:2: no Python"):
        code_keys(house, ["one"])


def test_another_copy_of_the_package_has_no_keys_here(house: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "house"
    shutil.copytree(house, copy)

    with pytest.raises(CodeError, match="not the package that runs"):
        code_keys(copy, ["one"])


def stages_moved_by(folder: Path, *names: str) -> set[str]:
    """Return the stages of a copy of the package whose key an edit of the files `names` moves."""
    shutil.copytree(PACKAGE, folder / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-c", SHOW_MOVED, *names],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


def test_an_edited_page_moves_the_key_of_the_stage_that_renders_alone(tmp_path: Path) -> None:
    assert stages_moved_by(tmp_path, *LOOKS) == {"report"}


def test_an_edited_detector_moves_the_key_of_the_audit_and_of_no_training(tmp_path: Path) -> None:
    moved = stages_moved_by(tmp_path, "audit/parroting.py")

    assert "audit" in moved
    assert moved.isdisjoint({"distil", "parse", "train_sft", "train_dpo", "train_scorer"})


def test_no_stage_but_one_writes_pages() -> None:
    written = {
        stage.name
        for stage in read_stages()
        for option in stage.outs
        if option.record is Page or Path(option.path).suffix in (".html", ".md", ".svg")
    }

    assert written == {"report"}
