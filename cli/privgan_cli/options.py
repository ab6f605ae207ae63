"""Options that several verbs share, and how they are read."""

import getpass
import os
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from privgan.errors import UsageError
from privgan.language import tr
from privgan_cli.console import console

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from privgan_audits.policy import Policy


def choice(text: str, *names: str, metavar: str = "NAME") -> Any:
    """An option whose value is the name of a choice, or several; capitals do not matter."""
    return typer.Option(*names, parser=_lower, metavar=metavar, help=text)


def _lower(text: str) -> str:
    return text.strip().lower()


Place = str | os.PathLike[str]
Places = Place | Sequence[Place]
Force = Annotated[bool, typer.Option("--force", help="Replace an output that exists.")]
PolicyFile = Annotated[
    str | None, typer.Option("--policy", help="policy.toml of the privacy officer, or the name of a preset.")
]
Processes = Annotated[int, typer.Option(help="Processes of this machine that share the work.")]
Device = Annotated[str | None, choice("auto, cpu or cuda.")]


def read_policy(choice: str | None) -> "Policy":
    """The officer's policy from its file or by a preset's name, or the recommended one."""
    from privgan_audits.policy import Policy

    return Policy.chosen(choice)


def read_key(path: Path) -> "Ed25519PrivateKey":
    """A signing key; asks for its passphrase if it has one."""
    from privgan.seals import is_encrypted, load_private_key

    return load_private_key(path, ask(tr("Passphrase: ")) if is_encrypted(path) else None)


def ask(prompt: str) -> bytes:
    """A passphrase from the terminal."""
    if not sys.stdin.isatty():
        raise UsageError("Expected a terminal to ask for the key's passphrase on.")
    with console.asking():
        return getpass.getpass(prompt, stream=sys.stderr).encode()


def paths(places: Places) -> list[Path]:
    """One or several, as whoever calls from a notebook names them."""
    return [Path(places)] if isinstance(places, str | os.PathLike) else [Path(place) for place in places]


def today() -> date:
    """The day in UTC, which is what signed statements mean by a day everywhere."""
    return datetime.now(UTC).date()
