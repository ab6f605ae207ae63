"""A page of help in another language than the code's: each sentence that typer writes is looked up on its way.

So no help needs a mark where it is written, nor costs anything in English, whose pages are typer's own. Lines and
columns are this page's business, because typer counts letters and a Chinese one fills two columns.
"""

import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from privgan.language import to_tr, tr
from privgan_cli.line.columns import columns, padded, wrapped

_WIDEST, _NARROWEST, _NAMES = 78, 50, 30  # columns of a line, and of names before what is said of them: as typer's
_GAP = "  "
_USAGE = to_tr(("[OPTIONS]", "COMMAND [ARGS]..."))


class Page:
    """What typer takes for its formatter of help."""

    def __init__(self) -> None:
        """As wide as the terminal, within limits."""
        self.width = max(min(shutil.get_terminal_size().columns - 2, _WIDEST), _NARROWEST)
        self.current_indent = 0
        self._text = ""

    def write(self, text: str) -> None:
        """Append text as it stands."""
        self._text += text

    def write_paragraph(self) -> None:
        """Append an empty line."""
        self.write("\n")

    def write_usage(self, command: str, words: str) -> None:
        """What is typed: after the command, these words."""
        for each in _USAGE:
            words = words.replace(each, tr(each))
        start = tr("Usage: {command}", command=command) + " "
        first, *others = wrapped(words, self.width - columns(start))
        self._lines([start + first, *(" " * columns(start) + line for line in others)])

    def write_text(self, text: str) -> None:
        """A sentence of the code."""
        self._lines(wrapped(tr(text), self.width - self.current_indent))

    def write_dl(self, rows: Iterable[tuple[str, str]]) -> None:
        """Names, and what is said of each, in two columns."""
        told = [(re.sub(r"<[^>]+>", lambda kind: tr(kind[0]), name), _told(text)) for name, text in rows]
        start = min(max(columns(name) for name, _ in told), _NAMES) + len(_GAP)
        for name, text in told:
            first, *others = wrapped(text, self.width - start - self.current_indent)
            beside = columns(name) + len(_GAP) <= start
            self._lines([] if beside else [name])
            self._lines([padded(name if beside else "", start) + first, *(" " * start + line for line in others)])

    @contextmanager
    def section(self, heading: str) -> Iterator[None]:
        """A heading of the code, and what stands below it."""
        self.write_paragraph()
        self._lines([tr("{heading}:", heading=tr(heading))])
        with self.indentation():
            yield

    @contextmanager
    def indentation(self) -> Iterator[None]:
        """Further to the right."""
        self.current_indent += len(_GAP)
        try:
            yield
        finally:
            self.current_indent -= len(_GAP)

    def getvalue(self) -> str:
        """All of it."""
        return self._text

    def _lines(self, lines: Iterable[str]) -> None:
        self._text += "".join(f"{'':{self.current_indent}}{line}\n" for line in lines)


def _told(text: str) -> str:
    """A sentence of the code, and in brackets what typer adds to it."""
    sentence, bracket, added = text.partition("  [")
    if not bracket:
        return tr(sentence)
    facts = tr("; ").join(map(_fact, added.removesuffix("]").split("; ")))
    return tr("{sentence}  [{facts}]", sentence=tr(sentence), facts=facts)


def _fact(added: str) -> str:
    """Of a value: that there must be one, or which it is if none is typed."""
    name, colon, value = added.partition(": ")
    return tr("default: {value}", value=value) if colon else tr(name)
