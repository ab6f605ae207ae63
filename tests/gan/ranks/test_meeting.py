"""Ranks that meet beside what they make: with as many threads each, and wherever that lies."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from privgan.gan.ranks.company import Company
from privgan.gan.ranks.meeting import gathered_beside
from tests.gan.ranks.forks import End, ends

COMPANY = Company(size=2, meeting="here")


def counts() -> list[int]:
    """Threads of torch, the most of NumPy's libraries, the most of OpenMP."""
    told = [(each["user_api"], each["num_threads"]) for each in threadpool_info()]
    return [torch.get_num_threads(), *(max(n for api, n in told if api == name) for name in ("blas", "openmp"))]


def test_all_compute_with_the_threads_of_rank_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever each had, and its environment says; afterwards each has its own again."""

    def work(rank: int) -> None:
        monkeypatch.setenv("OMP_NUM_THREADS", "3,2" if rank == 0 else "1")
        threadpool_limits(2 - rank)
        before = counts()
        with gathered_beside(replace(COMPANY, rank=rank), tmp_path / "set"):
            np.save(tmp_path / f"{rank}.npy", counts())
        assert counts() == before

    assert ends([lambda: work(0), lambda: work(1)], tmp_path) == [End(code=0)] * 2
    for rank in range(2):
        assert np.load(tmp_path / f"{rank}.npy").tolist() == [3, 1, 3]


@pytest.mark.parametrize(
    ("said", "threads"), [("4", 4), ("4,2", 4), (" 3 ", 3), ("", 0), ("0", 0), ("many", 0), ("-2", 0), ("²", 0)]
)
def test_threads_are_what_the_environment_says_or_shared_out(said: str, threads: int) -> None:
    """As OpenMP reads it, which may say a number for each level; what is no number says nothing."""
    asked = COMPANY.with_threads_of({"OMP_NUM_THREADS": said})
    assert asked.threads == (threads or COMPANY.threads)
    assert {told["OMP_NUM_THREADS"] for told in asked.environments} == {str(asked.threads)}


def test_a_training_shares_the_cores_out_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(8))
    monkeypatch.setattr("privgan.memory._quotas", list)
    monkeypatch.setenv("OMP_NUM_THREADS", "16")
    assert COMPANY.threads == 4
    assert [told["OMP_NUM_THREADS"] for told in COMPANY.environments] == ["4"]


def test_work_on_this_very_folder_has_a_place_to_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.` has no name beside which a folder could stand."""
    (tmp_path / "set").mkdir()
    monkeypatch.chdir(tmp_path / "set")

    def work(rank: int) -> None:
        with gathered_beside(replace(COMPANY, rank=rank), Path()):
            assert (tmp_path / ".set.ranks").is_dir()

    assert ends([lambda: work(0), lambda: work(1)], tmp_path) == [End(code=0)] * 2
    assert not list(tmp_path.glob(".*"))
