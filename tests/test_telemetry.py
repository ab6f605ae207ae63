"""Nothing tells its maker anything: no library that does is named, imported or loaded.

Every command that tests fork is asked, too, as it ends: see `tests/cli/forking.py`.
"""

import ast
import re
import tomllib

import pytest

from tests.code import SOURCES, named, parsed
from tests.places import ROOT
from tests.spies import clients


def imported(tree: ast.Module) -> set[str]:
    """Modules by their full names, also those that are imported from a package."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return found


def test_no_file_of_ours_imports_one() -> None:
    assert {named(path): found for path in SOURCES if (found := clients(imported(parsed(path))))} == {}


def test_no_file_of_ours_names_a_part_of_one_as_a_word() -> None:
    """As NVFlare's jobs and its settings do, or whoever imports by a name."""
    texts = {node.value for path in SOURCES for node in ast.walk(parsed(path)) if _is_text(node)}  # type: ignore[attr-defined]
    dotted = {word for text in texts for word in re.findall(r"[a-z_]\w*(?:\.\w+)+", text)}
    assert {"privgan.federation.nvflare_courier", "nvflare.collab.runtime.executor.CollabExecutor"} <= dotted
    assert clients(dotted) == set()


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_none_is_required() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    names = {re.split(r"[^\w.-]", each, maxsplit=1)[0].lower().replace("-", "_") for each in asked}
    assert "torch" in names
    assert clients(names) == set()


@pytest.mark.parametrize(
    "line", ["import sentry_sdk.scope", "from opentelemetry import trace", "from nvflare import metrics"]
)
def test_one_that_is_imported_is_found(line: str) -> None:
    assert len(clients(imported(ast.parse(line)))) == 1
    assert clients({"statsdx", "privgan_audits.telling"}) == set()
