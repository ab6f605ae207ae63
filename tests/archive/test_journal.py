"""A journal remembers what is done through kills, and is about one thing only."""

from pathlib import Path

import pytest

from privgan.archive.journal import Journal
from privgan.errors import IntegrityError, UsageError

SUBJECT = "fetch https://pacs.example PatientID=4711"


def entered(path: Path, *names: str, subject: str = SUBJECT) -> set[str]:
    """Open, add, close; what is done then."""
    with Journal.opened(path, subject) as journal:
        for name in names:
            journal.add(name)
        return set(journal.done)


def test_what_was_entered_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    assert entered(path) == set()
    assert entered(path, "a", "b") == {"a", "b"}
    assert entered(path, "c") == {"a", "b", "c"}
    assert path.stat().st_mode & 0o777 == 0o600


def test_after_a_kill_at_any_byte_it_holds_what_was_whole(tmp_path: Path) -> None:
    """Cut anywhere, it opens, has a prefix of what was done, and takes up the rest."""
    path = tmp_path / "journal"
    entered(path, "a", "b", "c")
    content = path.read_bytes()
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])
        whole = content[:length].count(b"\n")
        assert entered(path) == set("abc"[: max(0, whole - 1)])
        assert entered(path, "z") == {*"abc"[: max(0, whole - 1)], "z"}


def test_it_says_nothing_about_what_it_is_about(tmp_path: Path) -> None:
    """No plain text; two journals call the same thing by different names, one journal by the same."""
    names = []
    for path in (tmp_path / "one", tmp_path / "two", tmp_path / "one"):
        with Journal.opened(path, SUBJECT) as journal:
            names.append(journal.digest("1.2.840.4711"))
            journal.add(names[-1])
        assert "840.4711" not in path.read_text()  # a digest has no dot: never by chance
    assert names[0] == names[2] != names[1]


def test_one_thing_and_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal.opened(path, SUBJECT), pytest.raises(UsageError, match="Another process"):
        entered(path)
    with pytest.raises(UsageError, match="something else"):
        entered(path, subject="send elsewhere")


@pytest.mark.parametrize(
    "line", [b"{}\n", b"nonsense\n", b"[1]\n", b'{"key": "zz"}\n', b'{"key": 1}\n', b"[" * 9999 + b"\n"]
)
def test_what_is_no_journal_is_refused(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "journal"
    path.write_bytes(line)
    with pytest.raises(IntegrityError):
        entered(path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError):
        entered(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()
