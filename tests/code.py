"""The product's own code, read and parsed once for all tests that look at it."""

import ast
from functools import cache
from pathlib import Path

from tests.places import ROOT

PACKAGES = {  # and where each lies
    "privgan": ROOT,
    "privgan_audits": ROOT / "audits",
    "privgan_uses": ROOT / "uses",
    "privgan_cli": ROOT / "cli",
}
SOURCES = [path for name, folder in PACKAGES.items() for path in sorted((folder / name).rglob("*.py"))]


@cache
def parsed(path: Path) -> ast.Module:
    """The tree of a file, which no test may change."""
    return ast.parse(path.read_text("utf-8"))


def named(path: Path) -> str:
    """A file as it is called in what a test says."""
    return path.relative_to(ROOT).as_posix()
