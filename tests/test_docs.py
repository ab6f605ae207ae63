"""What the documentation promises exists, and the rules that CONTRIBUTING names are kept."""

import ast
import dataclasses
import doctest
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from privgan.gan.training.settings import TrainSettings
from privgan_audits.policy import Policy
from tests.code import PACKAGES, SOURCES, named, parsed
from tests.places import ROOT

VERBS_PAGE = (ROOT / "docs/reference/verbs.md").read_text()
CONFIGURATION_PAGE = (ROOT / "docs/reference/configuration.md").read_text()
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
EVERYWHERE = {"--help", "--json", "--quiet", "--verbose", "--language", "--log", "--tell-every"}
EVERYWHERE |= {"--version", "--install-completion", "--show-completion"}
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
RUNS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml"}
RUN, SAYS = {"eval", "exec", "compile", "__import__", "os.system"}, {"shell", "weights_only", "allow_pickle"}
MUST_SAY = {"torch.load": ("weights_only", "True")}
MUST_SAY |= dict.fromkeys(("np.load", "numpy.load"), ("allow_pickle", "False"))
MOST_LINES, MOST_FUNCTION_LINES, MOST_ARGUMENTS, MOST_DECISION_LINES = 300, 60, 7, 60


HELPED = """
import json, sys
from contextlib import redirect_stdout
from io import StringIO
from privgan_cli.main import run
said = {}
for verb in sys.argv[1:]:
    with redirect_stdout(StringIO()) as page:
        assert run([*verb.split(), "--help"]) == 0
    said[verb] = page.getvalue()
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def helped() -> dict[str, str]:
    """What `privgan VERB --help` prints, by verb, and "" without one: all in one process."""
    path = os.pathsep.join(str(folder) for folder in PACKAGES.values())
    environment = {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"}
    line = [sys.executable, "-c", HELPED, "", *documented_verbs()]
    done = subprocess.run(line, capture_output=True, text=True, env=environment, check=True, timeout=300)
    return dict(json.loads(done.stdout))


def documented_verbs() -> dict[str, str]:
    """Verb -> its section in the reference; of a verb that is several, each has one, and they have one together."""
    parts = re.split(r"^## privgan ([a-z]+(?: [a-z]+)?)$", VERBS_PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def long_options(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def commands(helped: dict[str, str]) -> set[str]:
    """The verbs in the list that `privgan --help` prints, and those in the list of a verb that is several."""
    found = listed(helped[""])
    several = [verb for verb in found if any(name.startswith(f"{verb} ") for name in documented_verbs())]
    return found | {f"{verb} {name}" for verb in several for name in listed(helped[verb])}


def listed(page: str) -> set[str]:
    rows = page.split("Commands", 1)[1]
    return set(re.findall(r"^[\s│|]*([a-z]+)\s{2,}\S", rows, flags=re.MULTILINE))


def test_every_verb_is_documented_and_every_documented_verb_exists(helped: dict[str, str]) -> None:
    """`privgan --help` and the reference name the same verbs."""
    assert commands(helped) == set(documented_verbs())


@pytest.mark.parametrize("verb", sorted(documented_verbs()))
def test_every_option_is_documented_and_every_documented_option_exists(helped: dict[str, str], verb: str) -> None:
    """The section of a verb names exactly the options that its --help names."""
    offered = long_options(helped[verb]) - EVERYWHERE
    section = documented_verbs()[verb]
    assert offered <= long_options(section), f"undocumented: {sorted(offered - long_options(section))}"
    elsewhere = long_options("".join(documented_verbs().values())) - long_options(section)
    invented = long_options(section) - offered - EVERYWHERE - elsewhere
    assert not invented, f"no such option: {sorted(invented)}"


def code_of(page: Path) -> str:
    """The fenced and the indented blocks of a page."""
    text = page.read_text()
    fenced = re.findall(r"^ *```sh\n(.*?)^ *```", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*fenced, *re.findall(r"^    .*$", text, flags=re.MULTILINE)])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_on_every_page_exist(page: Path) -> None:
    """No page shows a verb or an option that privgan does not have."""
    known = documented_verbs()
    for line in re.findall(r"^\s*(?:\$ )?privgan ([a-z]+.*)$", code_of(page), flags=re.MULTILINE):
        first, second, *_ = [*line.split(), ""]
        verb = f"{first} {second}" if f"{first} {second}" in known else first
        rest = line.removeprefix(verb)
        assert verb in known, f"{page.name}: privgan {verb}"
        options = long_options(rest.split("#")[0])
        assert options <= long_options(known[verb]) | EVERYWHERE, f"{page.name}: privgan {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_pictures_resolve(page: Path) -> None:
    """Every relative link leads to a file of the project."""
    text = page.read_text()
    targets = [*LINK.findall(text), *re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", text)]
    for target in targets:
        if not target.startswith(("https://", "http://", "#")):
            assert (page.parent / target.split("#")[0]).exists(), f"{page.name}: {target}"


def test_make_knows_the_commands_of_the_readme() -> None:
    """`make demo` and `make test` on the first page are targets."""
    makefile = (ROOT / "Makefile").read_text()
    text = (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()
    for target in re.findall(r"^make (\w+)", text, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_every_setting_is_documented_with_its_default() -> None:
    """train.toml and policy.toml: each key stands in the reference with the default that the code has."""
    fields = dataclasses.fields(TrainSettings)
    tables = [(f.name, f.default_factory) for f in fields if f.default_factory is not dataclasses.MISSING]
    for name, kind in [*tables, ("policy.toml", Policy)]:
        start = CONFIGURATION_PAGE.index(f"[{name}]" if kind is not Policy else f"## {name}")
        section = re.split(r"^##", CONFIGURATION_PAGE[start + 3 :], flags=re.MULTILINE)[0]
        documented = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", section, flags=re.MULTILINE))
        actual = {field.name: field.default for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
        assert {key: value.strip('"') for key, value in documented.items()} == {
            key: str(value).lower() for key, value in actual.items()
        }, name


@pytest.mark.parametrize("page", sorted((ROOT / "docs/decisions").glob("*.md")), ids=lambda page: page.stem)
def test_decision_records_are_short_and_complete(page: Path) -> None:
    """At most 60 lines, with a status, a context, a decision and its consequences."""
    text = page.read_text()
    assert len(text.splitlines()) <= MOST_DECISION_LINES
    for part in ("Status:", "## Context", "## Decision", "## Consequences"):
        assert part in text
    assert text.startswith(f"# {int(page.name[:4])}. ")


def module_name(path: Path) -> str:
    folder = next(folder for name, folder in PACKAGES.items() if path.is_relative_to(folder / name))
    return ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", [p for p in SOURCES if ">>>" in p.read_text()], ids=module_name)
def test_examples_in_the_sources_run(path: Path) -> None:
    """Every doctest gives what it says."""
    module = importlib.import_module(module_name(path))
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_files_are_small_and_say_why_they_exist() -> None:
    """The size rules of CONTRIBUTING, and a docstring on top."""
    found = {named(path): list(complaints(path)) for path in SOURCES}
    assert {name: said for name, said in found.items() if said} == {}


def complaints(path: Path) -> Iterator[str]:
    """What is too long in a file, or has too many arguments, or is not there."""
    tree = parsed(path)
    if not ast.get_docstring(tree):
        yield "why it exists"
    if len(path.read_text().splitlines()) > MOST_LINES:
        yield "lines"
    for function in functions(tree):
        first = function.body[0].lineno if is_a_verb(path) else function.lineno
        if (function.end_lineno or 0) - first >= MOST_FUNCTION_LINES:
            yield f"lines of {function.name}"
        given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        counted = [argument for argument in given if argument.arg not in {"self", "cls"}]
        if len(counted) > MOST_ARGUMENTS and not is_a_verb(path):
            yield f"arguments of {function.name}"


def is_a_verb(path: Path) -> bool:
    """A verb's parameters are its options on the command line: as many, and as long, as those are."""
    return path.is_relative_to(ROOT / "cli/privgan_cli/verbs")


def test_nothing_read_can_run() -> None:
    """No pickle, eval, exec or yaml.load; arrays and weights are read as data only."""
    found = {named(path): list(dangers(parsed(path))) for path in SOURCES}
    assert {name: said for name, said in found.items() if said} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from yaml import load",
        "eval(words)",
        "os.system(words)",
        "run(words, shell=True)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path)",
        "numpy.load(path, allow_pickle=True)",
    ],
)
def test_what_could_run_is_noticed(line: str) -> None:
    assert len(list(dangers(ast.parse(line)))) == 1


def dangers(tree: ast.Module) -> Iterator[str]:
    """Imports and calls by which something that was read could run."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from {alias.name for alias in names} & RUNS
            case ast.ImportFrom(module=module):
                yield from {module} & RUNS
            case ast.Call(keywords=keywords):
                told = {keyword.arg: ast.unparse(keyword.value) for keyword in keywords if keyword.arg in SAYS}
                name = _called(node)
                option, value = MUST_SAY.get(name, ("shell", None))
                if name in RUN or told.get("shell") == "True" or (value and told.get(option) != value):
                    yield ast.unparse(node)


def _called(call: ast.Call) -> str:
    """A function's name, perhaps with that of its module; "" for all others."""
    match call.func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            return f"{module}.{name}"
    return ""


def test_help_is_quick_to_answer() -> None:
    """`privgan --help` imports neither torch nor opacus nor sklearn."""
    line = (
        "import sys; from privgan_cli.main import run; code = run(['--help']); "
        "heavy = {'torch', 'opacus', 'sklearn', 'pydicom', 'matplotlib'} & set(sys.modules); "
        "sys.exit(code or (f'imported {heavy}' if heavy else 0))"
    )
    path = os.pathsep.join(str(folder) for folder in PACKAGES.values())
    done = subprocess.run(
        [sys.executable, "-c", line],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
