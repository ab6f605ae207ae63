"""T7 judged: members may not be recognised more often than others."""

from collections.abc import Iterator

from privgan.language import kept
from privgan_audits.questions.rule import Rule
from privgan_audits.record import Findings


def statistical(f: Findings) -> Iterator[str]:
    """Members come first too often, by their other images."""
    if f.is_rejected:
        yield kept(
            "Members are recognised in synthetic images more often than others (p = {p}).", p=f"{f.number('p'):.2g}"
        )


RULE = Rule(needed=("p",), may_not_apply=True, share=0.02, statistical=statistical)
