"""No circle of imports, no name for two value types, and nobody sets another's private state."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import grimp
import networkx
import pytest

from pipeline.workspace import PROJECT

FILES = sorted((PROJECT / "pipeline").rglob("*.py"))
# Of clients that are not ours: headers taken from variables of one provider, for any endpoint, and
# the body of an answer, which their own `aread` would read without a bound.
ALLOWED = {
    "pipeline/llm/openai_chat.py": {"client._custom_headers"},
    "pipeline/llm/bounded_client.py": {"response._content"},
}


def test_no_module_imports_itself_by_way_of_others() -> None:
    imports = grimp.build_graph("pipeline", cache_dir=None)
    graph = networkx.DiGraph(
        (module, imported)
        for module in imports.modules
        for imported in imports.find_modules_directly_imported_by(module)
    )

    circles = [sorted(part) for part in networkx.strongly_connected_components(graph)]
    assert [circle for circle in circles if len(circle) > 1] == []


@pytest.mark.parametrize("name", ["Answer", "Pair", "Plan", "Table"])
def test_a_value_type_is_one_thing_in_the_whole_package(name: str) -> None:
    places = [str(file.relative_to(PROJECT)) for file in FILES for _ in _defined(file, name)]

    assert len(places) <= 1, places


def _defined(file: Path, name: str) -> Iterator[ast.stmt]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if (isinstance(node, ast.ClassDef) and node.name == name) or any(
            isinstance(target, ast.Name) and target.id == name for target in targets
        ):
            yield node


def test_private_and_fitted_state_is_set_by_its_own_module_alone() -> None:
    set_outside: dict[str, set[str]] = defaultdict(set)
    for file in FILES:
        targets = list(_targets(ast.parse(file.read_text(encoding="utf-8"))))
        own = {target.attr for target in targets if ast.unparse(target.value) in ("self", "cls")}
        for target in targets:
            state = target.attr.strip("_") != target.attr and not target.attr.startswith("__")
            if state and target.attr not in own:
                set_outside[str(file.relative_to(PROJECT))].add(ast.unparse(target))

    assert set_outside == ALLOWED


def _targets(tree: ast.AST) -> Iterator[ast.Attribute]:
    """Yield every attribute that is set somewhere in `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node
