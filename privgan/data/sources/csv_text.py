"""A table as people have it: separated by commas, semicolons or tabs, in UTF-8 or as spreadsheets write "Unicode"."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from privgan.data.refusals import RefusedError, read_regular
from privgan.errors import InputRejectedError, UsageError

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SEPARATORS = (",", ";", "\t")
_TOLD_SEPARATOR = re.compile(r"\A\s*\"?sep=.\"?[ \t]*(\r\n|\r|\n)", re.IGNORECASE)  # Excel's own first line


@dataclass(frozen=True, kw_only=True)
class CsvText:
    """The text of one table; sensitive, so its repr shows how it is separated only.

    name: of the file, for messages. header: its columns, in lower case and without blanks around them.
    """

    name: str
    text: str = field(repr=False)
    separator: str
    header: tuple[str, ...] = field(repr=False)

    @classmethod
    def read(cls, path: Path, is_column: Callable[[str], bool]) -> Self:
        """Read a table.

        Args:
            path: the file.
            is_column: whether a name is one of a column that is looked for; that decides what separates them.

        Raises:
            UsageError: there is no such file.
            InputRejectedError: it is no CSV in UTF-8 or UTF-16.
        """
        try:
            content = read_regular(path)
        except RefusedError as refusal:
            raise UsageError(
                f"Expected a label table, the CSV file {path.name} cannot be read ({refusal.code})."
            ) from None
        text = _decoded(content, path.name)
        found = [cls(name=path.name, text=text, separator=separator, header=()) for separator in _SEPARATORS]
        headers = [tuple(name.strip().lower() for name in next(each.lines(), [])) for each in found]
        best = max(range(len(found)), key=lambda place: sum(map(is_column, headers[place])))  # of equals the first
        return cls(name=path.name, text=text, separator=_SEPARATORS[best], header=headers[best])

    def lines(self) -> Iterator[list[str]]:
        """Every line, the header first; parsed anew each time, because all of them together are large."""
        try:
            yield from csv.reader(io.StringIO(self.text), strict=True, delimiter=self.separator)
        except csv.Error:
            raise InputRejectedError(f"Expected a label table as CSV, {self.name} cannot be parsed.") from None


def _decoded(content: bytes, name: str) -> str:
    """The text of a table, if there is no doubt in which encoding it is; without the line that names the separator.

    Raises:
        InputRejectedError: it is in none of those that say themselves which they are.
    """
    try:
        text = content.decode("utf-16" if content.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        raise InputRejectedError(
            f"Expected a label table in UTF-8, {name} has other bytes, perhaps those of Windows-1252. Which letters "
            'they are, nobody could say: save it again as "CSV UTF-8".'
        ) from None
    if "\0" in text:
        raise InputRejectedError(
            f"Expected a label table in UTF-8, {name} seems to be in UTF-16 without the mark that says so, or in "
            'UTF-32. Save it again as "CSV UTF-8".'
        )
    return _TOLD_SEPARATOR.sub("", text, count=1)
