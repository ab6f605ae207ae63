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
from typing import Any

from privgan import __version__
from privgan.errors import PrivganError
from privgan_audits.release.recipient.answer import answer, lines
from privgan_audits.release.verify import verify


def main(words: Sequence[str] | None = None) -> int:
    """Verify a bundle as the words say, and print what was signed; returns the exit code of `privgan verify`."""
    asked = _parser().parse_args(words)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a console of few letters still shows a name
    try:
        found = verify(
            asked.bundle,
            asked.public_key,
            today=datetime.now(UTC).date(),
            officer_key=asked.officer_key,
            revocation=asked.revocation,
        )
    except PrivganError as error:
        return _refuse(asked, error.exit_code, str(error))
    except OSError as error:
        return _refuse(asked, 2, f"Expected to read the bundle and the keys, the system says: {error.strerror}.")
    _print(asked, answer(found), *lines(found))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="privgan-verify",
        description="Check a bundle's signatures and every file; offline, for the recipient. 0 says intact.",
    )
    parser.add_argument("bundle", type=Path, help="a released bundle")
    parser.add_argument(
        "--public-key", type=Path, required=True, help="the hospital's public key, got over another channel"
    )
    parser.add_argument("--officer-key", type=Path, help="the privacy officer's, too: demands an approval")
    parser.add_argument("--revocation", type=Path, help="a withdrawal that the hospital sent")
    parser.add_argument("--json", action="store_true", help="the answer as a JSON object")
    parser.add_argument("--version", action="version", version=f"privgan-verify {__version__}")
    return parser


def _refuse(asked: argparse.Namespace, code: int, message: str) -> int:
    sys.stderr.write(f"privgan-verify: {message}\n")
    if asked.json:
        _print(asked, {"error": {"exit_code": code, "message": message}})
    return code


def _print(asked: argparse.Namespace, table: dict[str, Any], *told: str) -> None:
    text = json.dumps(table, indent=2) if asked.json else "\n".join(told)
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{text}\n")
