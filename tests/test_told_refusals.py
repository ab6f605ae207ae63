"""Every refusal of the code is a whole sentence that other languages have, and is known again with its values."""

import ast
import string
from collections.abc import Iterator

import pytest

from privgan.errors import PrivganError
from privgan.language import LANGUAGES, OWN_WORDS, catalogue, retold, speaking
from privgan_audits.release.recipient.sentences import REFUSALS, refused_with, said_in
from tests.code import SOURCES, named, parsed

PASSED_ON = {  # what is no sentence of its own there: marked where it is written, or another refusal's
    "privgan/archive/access.py": {"str(error)"},
    "privgan/archive/dimse.py": {"reason"},
    "privgan/data/cohort/records.py": {"reason"},
    "privgan/data/declared.py": {"reason"},
    "privgan/data/cohort/prepare.py": {"reason", "names.doubt"},
    "privgan/data/sources/opening.py": {"reason", "' '.join(filter(None, said))"},
    "audits/privgan_audits/policy.py": {"' '.join(said)"},
    "audits/privgan_audits/release/rejecting.py": {
        "_rejected(found.officer, found.rejected)",
        "_rejected(str(entry['officer']), str(entry['date']))",
    },
}
BAD_PARAMETER = "BadParameter"  # typer's


def files() -> Iterator[tuple[str, ast.Module]]:
    yield from ((named(path), parsed(path)) for path in SOURCES)


def refusals() -> Iterator[tuple[str, ast.expr, set[str]]]:
    """Where one is made, its message, and its sentences; none where the message is no text."""
    for name, tree in files():
        constants = [node for node in tree.body if isinstance(node, ast.Assign)]
        for node in ast.walk(tree):
            if (message := refused_with(node)) is not None:
                alone = ast.Module(body=[*constants, ast.Expr(_call(message))], type_ignores=[])
                rest = ast.Module(body=list(constants), type_ignores=[])
                yield name, message, said_in(alone) - said_in(rest)


def _call(message: ast.expr) -> ast.expr:
    return ast.Call(func=ast.Name(id="UsageError"), args=[message], keywords=[])


def test_every_kind_of_refusal_is_looked_for() -> None:
    """Those that the errors' module has, and those that other modules derive from them."""
    known = {PrivganError.__name__}
    for _ in range(3):
        for _, tree in files():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and known & {ast.unparse(base) for base in node.bases}:
                    known.add(node.name)
    assert known | {BAD_PARAMETER} == REFUSALS


def test_every_refusal_is_a_sentence_or_one_that_is_passed_on() -> None:
    passed: dict[str, set[str]] = {}
    for name, message, sentences in refusals():
        if not sentences and not _is_marked(message) and not _is_constant(message):
            passed.setdefault(name, set()).add(ast.unparse(message))
    in_a_row = {"audits/privgan_audits/release/travel.py": {"f'{error} {reason}'"}}
    assert passed == PASSED_ON | in_a_row


def _is_marked(message: ast.expr) -> bool:
    return isinstance(message, ast.Call) and ast.unparse(message.func) in ("tr", "kept")


def _is_constant(message: ast.expr) -> bool:
    """A sentence that has a name, among whose values none is."""
    return isinstance(message, ast.Name) and message.id.isupper()


def sentences() -> set[str]:
    return set().union(*(found for _, _, found in refusals()))


def fields(sentence: str) -> list[str]:
    return sorted({name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None})


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_every_refusal_is_known_again(language: str) -> None:
    for sentence in sorted(sentences()):
        is_known_again(sentence, language)


def is_known_again(sentence: str, language: str) -> None:
    """Whatever its values are, names of files with commas and full stops among them; numbers in a row have none."""
    spoken = catalogue(language)[sentence]
    listed = ("a, b{}",) if "}, {" not in sentence else ()
    for values in ("{}", "Dr. A {}.png", "'{}'", "./{}/x.npz", "肺炎 {}", *listed):
        filled = {name: values.format(place) for place, name in enumerate(fields(sentence))}
        with speaking(language):
            told = retold(sentence.format(**filled) if filled else sentence)
        own = {name.rstrip(string.digits) for name in filled} & OWN_WORDS
        wanted = told == spoken.format(**filled) if not own else told != sentence.format(**filled)
        assert wanted, (sentence, values, told)
