"""`verify` without privgan: the command line of the file that `packing` makes, for Linux, macOS and Windows.

It needs the standard library and `cryptography`; every check is the one that `privgan verify` makes.
"""

import argparse
import contextlib
import io
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from privgan import __version__
from privgan.errors import PrivganError
from privgan.language import AS_WRITTEN, LANGUAGES, by_default, kept, retold, speaking, to_tr, tr
from privgan_audits.release.recipient.answer import answer, lines
from privgan_audits.release.verify import verify

_PROGRAM = "privgan-verify"
_PARSED = to_tr(  # what argparse says of a line, so that the catalogue has it
    (
        "the following arguments are required: {arguments}",
        "unrecognized arguments: {arguments}",
        "argument {argument}: expected one argument",
        "argument {argument}: ignored explicit argument {value}",
        "ambiguous option: {option} could match {options}",
    )
)


def main(words: Sequence[str] | None = None) -> int:
    """Verify a bundle as the words say, and print what was signed; returns the exit code of `privgan verify`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a console of few letters still shows a name
    first = argparse.ArgumentParser(prog=_PROGRAM, add_help=False, allow_abbrev=False)
    first.add_argument("--language", choices=LANGUAGES)
    with speaking(first.parse_known_args(words)[0].language):
        return _verified(_parser().parse_args(words))


def _verified(asked: argparse.Namespace) -> int:
    try:
        found = verify(
            asked.bundle,
            asked.public_key,
            today=datetime.now(UTC).date(),
            officer_key=asked.officer_key,
            revocation=asked.revocation,
        )
    except PrivganError as error:
        with by_default(error.language or AS_WRITTEN):
            return _refuse(asked, error.exit_code, str(error))
    except OSError as error:
        said = kept("Expected to read the bundle and the keys, the system says: {strerror}.", strerror=error.strerror)
        return _refuse(asked, 2, said)
    with by_default(found.language):
        _print(asked, answer(found), *lines(found))
    return 0


class _Parser(argparse.ArgumentParser):
    """Whose own words are in the current language, too."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, tr("{program}: error: {message}", program=self.prog, message=retold(message)) + "\n")


class _Help(argparse.HelpFormatter):
    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, tr("usage: ") if prefix is None else prefix)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_PROGRAM,
        description=tr("Check a bundle's signatures and every file; offline, for the recipient. 0 says intact."),
        add_help=False,
        formatter_class=_Help,
    )
    line, options = parser.add_argument_group(tr("positional arguments")), parser.add_argument_group(tr("options"))
    line.add_argument("bundle", type=Path, help=tr("a released bundle"))
    options.add_argument("-h", "--help", action="help", help=tr("show this help message and exit"))
    options.add_argument(
        "--public-key",
        type=Path,
        required=True,
        action="append",
        help=tr("the hospital's public key, got over another channel; of several, each one's"),
    )
    options.add_argument(
        "--officer-key", type=Path, action="append", help=tr("the privacy officer's, too: demands an approval")
    )
    options.add_argument("--revocation", type=Path, help=tr("a withdrawal that the hospital sent"))
    options.add_argument("--language", choices=LANGUAGES, help=tr("of what is said; the bundle's if left out"))
    options.add_argument("--json", action="store_true", help=tr("the answer as a JSON object"))
    options.add_argument(
        "--version",
        action="version",
        version=f"{_PROGRAM} {__version__}",
        help=tr("show program's version number and exit"),
    )
    return parser


def _refuse(asked: argparse.Namespace, code: int, message: str) -> int:
    sys.stderr.write(f"{_PROGRAM}: {retold(message)}\n")
    if asked.json:
        _print(asked, {"error": {"exit_code": code, "message": message}})
    return code


def _print(asked: argparse.Namespace, table: dict[str, Any], *told: str) -> None:
    text = json.dumps(table, indent=2) if asked.json else "\n".join(told)
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{text}\n")
