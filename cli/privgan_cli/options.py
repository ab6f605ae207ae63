"""Options that several verbs share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from privgan_audits.policy import Policy

Force = Annotated[bool, typer.Option("--force", help="Replace an output that exists.")]
PolicyFile = Annotated[Path | None, typer.Option("--policy", help="policy.toml of the privacy officer.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu or cuda.")]


def read_policy(path: Path | None) -> "Policy":
    """The officer's policy, or the recommended one."""
    from privgan_audits.policy import Policy

    return Policy() if path is None else Policy.read(path)
