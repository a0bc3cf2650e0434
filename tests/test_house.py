"""The rules of the house that a machine can check: layers, purity, circles, size."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "adapter"
LAYERS = (
    ("errors", "model"),
    (
        "units",
        "networks",
        "hosts",
        "path",
        "template",
        "condition",
        "typed",
        "phone",
        "hours",
        "retry",
        "payload",
        "signature",
        "handshake",
    ),
    ("mapping", "policy"),
    (
        "halt",
        "logs",
        "metrics",
        "limits",
        "xima",
        "settings",
        "store",
        "tenants",
        "proofs",
        "allowed",
        "texts",
        "sources",
        "written",
        "folder",
        "sandbox",
    ),
    (
        "receipt",
        "api",
        "dispatcher",
        "reporting",
        "chronicle",
        "inforce",
        "watching",
        "compared",
        "backtest",
        "anew",
        "shadow",
        "replay",
        "greeting",
        "keeping",
        "closing",
        "refusals",
        "intake",
        "tracing",
        "spans",
    ),
    ("web",),
    ("wsgi", "patience", "handed", "server", "cli", "__main__"),
)
"""A module imports only from its own layer or from those before it."""

PURE = {name for layer in LAYERS[:3] for name in layer}
NOT_PURE = {"flask", "requests", "sqlalchemy", "os", "time", "socket", "subprocess", "threading"}
NO_FLASK = {name for layer in LAYERS[3:5] for name in layer} - {"sandbox"}
BROAD_EXCEPTS = {"dispatcher/loop.py": 1, "reporting/reporter.py": 1}
"""A bug in one delivery or report must not stop the others; the other broad except of the product is Flask's own."""

FILES = sorted(ROOT.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def name_of(path: Path) -> str:
    """`adapter/store/queue.py` as `store`."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def layer_of(name: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if name in layer)


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module a file imports, in full; `from adapter import x` gives adapter.x."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the layer"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(path: Path) -> str:
    parts = [*path.relative_to(ROOT.parent).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


def own_imports(path: Path) -> Iterator[str]:
    """The modules of ours a file imports."""
    for name in imports(TREES[path]):
        if name in MODULES:
            yield name
        elif name.rpartition(".")[0] in MODULES:
            yield name.rpartition(".")[0]


CODE = [path for path in FILES if "migrations" not in path.parts and path != ROOT / "__init__.py"]


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_from_its_own_layer_or_those_before(path: Path) -> None:
    here = layer_of(name_of(path))
    for module in own_imports(path):
        if module != "adapter":
            other = module.split(".")[1]
            assert layer_of(other) <= here, f"{module} belongs to a later layer"


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_pure_modules_do_no_io_and_only_the_front_knows_flask(path: Path) -> None:
    used = {name.split(".")[0] for name in imports(TREES[path])}
    if name_of(path) in PURE:
        assert not used & NOT_PURE
    if name_of(path) in NO_FLASK:
        assert "flask" not in used


def test_there_are_no_circles_and_no_imports_inside_functions() -> None:
    for path, tree in TREES.items():
        functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
        inside = [node for function in functions for node in ast.walk(function)]
        assert not any(isinstance(node, ast.Import | ast.ImportFrom) for node in inside), path
    graph = {name: set(own_imports(path)) - {name} for name, path in MODULES.items()}
    while leaves := [name for name, needs in graph.items() if not needs]:
        for leaf in leaves:
            del graph[leaf]
        for needs in graph.values():
            needs.difference_update(leaves)
    # A package's __init__ re-exports its modules, which may import each other but not the package itself.
    assert graph == {}


def test_broad_excepts_are_the_ones_that_are_named_here() -> None:
    found: dict[str, int] = {}
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None
                or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
            ):
                file = str(path.relative_to(ROOT))
                found[file] = found.get(file, 0) + 1
    assert found == BROAD_EXCEPTS


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in CODE:
        for node in ast.walk(TREES[path]):
            if isinstance(node, ast.FunctionDef):
                yield f"{path.relative_to(ROOT)}:{node.name}", node


def length(node: ast.FunctionDef) -> int:
    """Lines of a function's body without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def branches(node: ast.FunctionDef) -> int:
    kinds = (ast.If, ast.For, ast.While, ast.ExceptHandler, ast.IfExp, ast.BoolOp, ast.comprehension, ast.match_case)
    return sum(isinstance(one, kinds) for one in ast.walk(node))


def nth(values: list[int], share: float) -> int:
    return sorted(values)[int(len(values) * share)]


def test_the_size_budget_is_kept() -> None:
    files = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in FILES}
    assert {name: lines for name, lines in files.items() if lines > 250} == {}
    filled = [sum(bool(line.strip()) for line in path.read_text().splitlines()) for path in FILES]
    assert statistics.median(filled) <= 90  # blank lines cost a reader nothing
    lengths = {name: length(node) for name, node in functions()}
    assert {name: lines for name, lines in lengths.items() if lines > 45} == {}
    assert statistics.median(lengths.values()) <= 8
    assert nth(list(lengths.values()), 0.9) <= 22
    assert nth([branches(node) for _, node in functions()], 0.9) <= 6


def test_every_public_function_and_class_has_a_docstring() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{node.name}"
        for path in CODE
        for node in TREES[path].body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []
