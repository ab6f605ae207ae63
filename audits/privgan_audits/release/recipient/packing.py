"""privgan-verify.pyz: `verify` as one file, made of the very modules that `privgan verify` runs.

It is a zip archive that Python runs (PEP 441): those modules and no others, and what they say in other languages as
a table that needs no library, uncompressed, without times or owners. So
whoever has this version of privgan makes the same bytes, and their SHA-256 can be told on another channel.
`python -P -m privgan_audits.release.recipient.packing FILE` writes it and prints that.
"""

import ast
import io
import json
import sys
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from privgan.errors import PrivganError
from privgan.files import SHAREABLE_FILE, open_new, sha256_bytes
from privgan.language import LANGUAGES, catalogue
from privgan_audits.release.recipient.sentences import said_in

NAME = "privgan-verify.pyz"
_ENTRY = "privgan_audits.release.recipient.alone"
_OURS = ("privgan", "privgan_audits")
_SHEBANG = b"#!/usr/bin/env python3\n"
_UNIX, _NEVER = 3, (1980, 1, 1, 0, 0, 0)
_MAIN = f'''"""Checks a bundle that privgan released; see VERIFY.md in the bundle."""

import sys

chinese = "zh" in " ".join(sys.argv[1:]).replace("=", " ").split()
if sys.version_info < (3, 11):
    sys.exit(
        "privgan-verify 需要 Python 3.11 或更新的版本。" if chinese else "privgan-verify needs Python 3.11 or newer."
    )
try:
    import cryptography
except ImportError:
    sys.exit(
        "privgan-verify 需要软件包 cryptography：python -P -m pip install cryptography"
        if chinese
        else "privgan-verify needs the package cryptography: python -P -m pip install cryptography"
    )

from {_ENTRY} import main

sys.exit(main())
'''


@cache
def verifier() -> bytes:
    """The bytes of the file; the same of every installation of a version, and made once by a process."""
    archive = io.BytesIO()
    archive.write(_SHEBANG)
    with zipfile.ZipFile(archive, "a") as packed:
        modules = _modules()
        for name, content in sorted({"__main__.py": _MAIN.encode(), **modules, **dict(_tables(modules))}.items()):
            entry = zipfile.ZipInfo(name, _NEVER)
            entry.create_system, entry.external_attr = _UNIX, SHAREABLE_FILE << 16
            packed.writestr(entry, content)
    return archive.getvalue()


def _modules() -> dict[str, bytes]:
    """Every module that is imported when `alone` is, by its path below the archive's root."""
    found: dict[str, bytes] = {}
    waiting = [_ENTRY]
    while waiting:
        name = waiting.pop()
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise PrivganError(f"Expected the source of {name}, it is not installed. Install privgan again.")
        path, content = _place(name, spec.submodule_search_locations is not None), Path(spec.origin).read_bytes()
        if path not in found:
            found[path] = content
            waiting += [*_parents(name), *_imported(content)]
    return found


def _tables(modules: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """What these modules say, in every other language: of a catalogue that needs a library to be read."""
    said = set[str]().union(*(said_in(ast.parse(content)) for content in modules.values()))
    for name in LANGUAGES:
        told = {sentence: spoken for sentence, spoken in catalogue(name).items() if sentence in said}
        if told:
            text = json.dumps(told, ensure_ascii=False, indent=0, sort_keys=True)
            yield f"privgan/languages/{name}.json", text.encode()


def _place(name: str, package: bool) -> str:
    return name.replace(".", "/") + ("/__init__.py" if package else ".py")


def _parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:length]) for length in range(1, len(parts)))


def _imported(content: bytes) -> Iterator[str]:
    """Modules of ours that are imported as soon as a module is: not those for type checkers, nor inside functions."""
    for node in ast.parse(content).body:
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            inside = (f"{node.module}.{alias.name}" for alias in node.names)
            names = [node.module, *filter(_is_module, inside)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        yield from (name for name in names if name.partition(".")[0] in _OURS)


def _is_module(name: str) -> bool:
    if name.partition(".")[0] not in _OURS:
        return False
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # a name inside a module
        return False


def main(words: list[str]) -> int:
    """Write the verifier into a new file and print its digest."""
    if len(words) != 1:
        sys.stderr.write(f"Expected the name of a new file, for example {NAME}.\n")
        return 2
    content = verifier()
    try:
        with open_new(Path(words[0]), SHAREABLE_FILE) as stream:
            stream.write(content)
    except PrivganError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"{sha256_bytes(content)}  {words[0]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
