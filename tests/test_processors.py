"""How many processors a process may use: as many as it is bound to and has a quota for, not as many as there are."""

import os
from pathlib import Path

import pytest

from privgan import memory
from privgan.gan.ranks.company import Company
from privgan.memory import processors
from tests.gan.ranks.forks import WELL, ends


def test_who_is_bound_to_one_has_one(tmp_path: Path) -> None:
    """As by `taskset -c 0`; processes that share them out have one each."""

    def bound() -> None:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        assert processors() == 1
        assert Company(size=2).threads == 1

    assert ends([bound], tmp_path) == [WELL]


@pytest.mark.parametrize(
    ("group", "told", "found"),
    [
        ("/", {"": "400000 100000"}, 4),
        ("/", {"": "150000 100000"}, 1),
        ("/", {"": "50000 100000"}, 1),
        ("/", {"": "max 100000"}, 16),
        ("/", {}, 16),
        ("/jobs/one", {"jobs/one": "max 100000", "jobs": "600000 100000"}, 6),
        ("/jobs/one", {"jobs/one": "300000 100000", "jobs": "600000 100000"}, 3),
        ("/jobs/one", {"jobs/two": "300000 100000"}, 16),
        ("/", {"": "many"}, 16),
    ],
)
def test_a_quota_counts_and_those_around_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, group: str, told: dict[str, str], found: int
) -> None:
    """Of sixteen processors."""
    (tmp_path / "mine").write_text(f"1:name=systemd:/elsewhere\n0::{group}\n")
    for name, text in told.items():
        (tmp_path / "groups" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name / "cpu.max").write_text(text)
    monkeypatch.setattr(memory, "_GROUP", tmp_path / "mine")
    monkeypatch.setattr(memory, "_GROUPS", tmp_path / "groups")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(16))
    assert processors() == found


def test_where_no_groups_are_told_of_what_it_is_bound_to_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nor which processors: there are systems without either."""
    monkeypatch.setattr(memory, "_GROUP", tmp_path / "missing")
    monkeypatch.setattr("os.cpu_count", lambda: 5)
    monkeypatch.delattr("os.sched_getaffinity")
    assert processors() == 5
