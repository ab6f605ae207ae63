"""The house stays one to live in: few files in a folder, no circle of imports, one name for each kind of array."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from tests.code import PACKAGES, SOURCES, parsed
from tests.places import ROOT

MOST_FILES = 14
BORDERS = {  # where images have another form than inside: who asks there, of what
    "privgan/data/preprocess.py": "one decoded image",
    "privgan/data/formats/picture.py": "PNG and JPEG",
    "privgan/data/formats/dicom/technical.py": "DICOM",
    "privgan/data/sources/file_source.py": "what files had",
    "privgan/data/sources/npz_reader.py": ".npz",
    "privgan/data/sources/npz_source.py": ".npz",
    "audits/privgan_audits/spaces/encoder.py": "what an ONNX model takes",
    "audits/privgan_audits/questions/identifiers/contents/arrays.py": "any array of a stranger's file",
}


def test_a_folder_can_be_seen_at_once() -> None:
    """Beside its subfolders a folder has few files; one more topic is one more folder."""
    folders = {path.parent for path in SOURCES}
    crowded = {
        str(folder.relative_to(ROOT)): count
        for folder in folders
        if (count := sum(path.name != "__init__.py" for path in folder.glob("*.py"))) > MOST_FILES
    }
    assert crowded == {}


def test_arrays_are_named_in_one_file() -> None:
    alias = re.compile(r"^_?[A-Z]\w* = NDArray\[", re.MULTILINE)
    elsewhere = [path for path in SOURCES if alias.search(path.read_text()) and path != ROOT / "privgan/arrays.py"]
    assert elsewhere == []


def questions_of_form(tree: ast.Module) -> list[str]:
    """Comparisons that ask an array how many axes it has, or images whether they are grey or in colour."""
    asked = re.compile(r"\.ndim\b|\bchannels\b|\.shape\[(3|-1|3:)\]|len\((\w+\.)*_?shape\)")
    sides = re.compile(r"-?[1-4]|\([\d, ()]*\)|\[[\d, ]*\]|\{[\d, ]*\}")
    every = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    return [
        ast.unparse(node)
        for node in every
        if any(asked.search(ast.unparse(side)) for side in (node.left, *node.comparators))
        and any(sides.fullmatch(ast.unparse(side)) for side in (node.left, *node.comparators))
    ]


def test_grey_or_colour_is_asked_in_images_and_at_the_borders_alone() -> None:
    asking = {str(path.relative_to(ROOT)) for path in SOURCES if questions_of_form(parsed(path))}
    assert {path for path in asking if not path.startswith("privgan/images/")} == set(BORDERS)


@pytest.mark.parametrize(
    "planted",
    [
        "x if images.ndim == 3 else y",
        "x if 4 != images.ndim else y",
        "if form.channels == 1: pass",
        "if channels > 1: pass",
        "if images.shape[3] == 3: pass",
        "if images.shape[-1] in (1, 3): pass",
        "if images.shape[3:] == (): pass",
        "if len(images.shape) == 4: pass",
    ],
)
def test_a_question_of_form_is_noticed(planted: str) -> None:
    assert questions_of_form(ast.parse(planted))


def circles(imports: dict[str, set[str]]) -> Iterator[set[str]]:
    """Modules that import each other, directly or through others: each group whose members reach one another."""
    reached: dict[str, set[str]] = {}
    for start in imports:
        seen, waiting = set[str](), [start]
        while waiting:
            fresh = imports[waiting.pop()] - seen
            seen |= fresh
            waiting += fresh
        reached[start] = seen
    groups = {frozenset(other for other in reached[one] if one in reached[other]) for one in imports}
    yield from (set(group) for group in groups if group)


def test_no_module_imports_itself_through_others() -> None:
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    # A package is named by whoever imports a module of it; only what it imports itself can close a circle.
    bare = {module for module in imports if not imports[module]}
    assert list(circles({module: targets - bare for module, targets in imports.items()})) == []


def test_circles_are_found() -> None:
    assert list(circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == [{"a", "b", "c"}]
    assert list(circles({"a": {"b"}, "b": {"c"}, "c": set()})) == []


def definitions(path: Path) -> set[str]:
    """Public functions, classes and constants of a module."""
    names = set()
    for node in parsed(path).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_in_the_product_is_for_tests_alone(package: str) -> None:
    """Every public definition is used by the product: named somewhere beyond the line that defines it."""
    words = re.findall(r"\w+", "\n".join(path.read_text() for path in SOURCES))
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    unused = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in SOURCES
        if path.is_relative_to(PACKAGES[package] / package)
        for name in definitions(path)
        if counts[name] < 2
    }
    assert unused == set()
