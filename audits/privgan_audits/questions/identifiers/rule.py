"""T10 judged: no identifier, and nothing that was not audited, in any file."""

from collections.abc import Iterator

from privgan.language import kept
from privgan_audits.questions.bounds import BOOKS
from privgan_audits.questions.rule import Rule
from privgan_audits.record import Findings

UNLIKE = "not_as_audited"  # of privgan sets alone
FORM = "structure"  # of foreign DICOM files for information


def hard(f: Findings) -> Iterator[str]:
    """An identifier, or a file that differs from what was audited or from what privgan writes."""
    if f.number("identifiers_found") > 0:
        yield kept("Identifying values of real patients were found in the files of the synthetic set.")
    if f.table(UNLIKE):
        yield kept(
            "What was audited is not what would leave: files differ from the audited images ({kinds}). If another "
            "version of privgan wrote them, generate the set again.",
            kinds=_kinds(f, UNLIKE),
        )
    if f.has_table(UNLIKE) and f.table(FORM):
        yield kept(
            "DICOM files of the set hold what privgan does not write, or lack what it does ({kinds}). If another "
            "version of privgan wrote them, generate the set again.",
            kinds=_kinds(f, FORM),
        )


def inconclusive(f: Findings) -> Iterator[str]:
    """Files that nobody compared, or could search."""
    if f.of(BOOKS).measured and f.measured and not all(f.has_table(key) for key in (UNLIKE, FORM)):
        yield kept("The files of the synthetic set were not compared with what was audited and what privgan writes.")
    if f.measured and not f.number("files") > 0:
        yield kept(
            "No file of the synthetic set was searched for identifiers: it was moved or deleted during the audit."
        )
    if f.number("unreadable_entries") > 0:
        yield kept(
            "Some entries of the synthetic set are not regular files and could not be searched for identifiers."
        )


def _kinds(f: Findings, key: str) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in f.table(key).items())


RULE = Rule(
    needed=("identifiers_found", "unreadable_entries", "files"),
    may_not_apply=True,
    hard=hard,
    inconclusive=inconclusive,
)
