"""The options that every verb takes, wherever they stand in the line, and what its help says of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from privgan.checks import positive
from privgan.errors import UsageError
from privgan.language import speaking

_FLAGS = {"--json": "as_json", "--quiet": "quiet", "-q": "quiet", "--verbose": "verbose", "-v": "verbose"}
_LOG, _TELL, LANGUAGE = "--log", "--tell-every", "--language"
HELP = (
    ("--json", "One object on stdout instead of text."),
    ("-q, --quiet", "No notes and no progress."),
    ("-v, --verbose", "More notes."),
    (f"{LANGUAGE} en|zh", "Of pages and messages; the policy's if left out."),
    (f"{_LOG} FILE", "Append what is said on stderr, and progress, with the time."),
    (f"{_TELL} SECONDS", "Off a terminal and in a log: between two lines of progress. [default: 60]"),
)


@dataclass(frozen=True, kw_only=True)
class Everywhere:
    """What a command was told beside its own options.

    log: a file to append to. tell_every_s: see `Lines`. language: None where nobody chose one.
    typed: the words that are left.
    """

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    log: Path | None = None
    tell_every_s: float = 60.0
    language: str | None = None
    typed: tuple[str, ...] = ()


def taken(arguments: Sequence[str], outer: Everywhere) -> tuple[list[str], Everywhere]:
    """What is left of a line without these options, and what they say; `outer` is of the command around it.

    Raises:
        UsageError: a file or a number is missing behind one of them, or there is no such language.
    """
    rest, found, given = list[str](), outer, dict[str, str]()
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if word in _FLAGS:
            found = _raised(found, _FLAGS[word])
        elif name == LANGUAGE:
            found = replace(found, language=value if equals else next(words, ""))
        elif name in (_LOG, _TELL):
            given[name] = value if equals else next(words, "")
        else:
            rest.append(word)
            rest += _the_rest(words) if word == "--" else ()
    with speaking(found.language):  # in which a wrong file or number is told, wherever it stands
        log = _file(given[_LOG]) if _LOG in given else found.log
        every_s = _seconds(given[_TELL]) if _TELL in given else found.tell_every_s
    return rest, replace(found, log=log, tell_every_s=every_s, typed=tuple(rest))


def _the_rest(words: Iterator[str]) -> list[str]:
    """Behind `--` nothing is an option."""
    return list(words)


def _raised(told: Everywhere, flag: str) -> Everywhere:
    return replace(
        told,
        as_json=told.as_json or flag == "as_json",
        quiet=told.quiet or flag == "quiet",
        verbose=told.verbose or flag == "verbose",
    )


def _file(value: str) -> Path:
    if not value:
        raise UsageError(f"Expected a file behind {_LOG}.")
    return Path(value)


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        raise UsageError(f"Expected seconds behind {_TELL}, such as 60, got {value!r}.") from None
    positive(**{_TELL: seconds})
    return seconds
