"""Which processes a process has started, and these in turn."""

from pathlib import Path


def below(process: int | str) -> list[str]:
    """The numbers of all that live, those that were started first before theirs."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [*children, *(further for child in children for further in below(child))]
