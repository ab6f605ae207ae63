"""Files that nobody thought of: whatever is done to a valid file, one code comes back, and soon."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privgan.data import refusals
from privgan.data.formats.isolation import CRASHED, TIMED_OUT, Job
from privgan.data.formats.worker import configuration_of, decode
from tests.data.hostile import crafting as craft
from tests.data.hostile.fuzzing import EDITS, Edit, LivingWorker, bases

CODES = {"", *re.findall(r"^\| ([a-z_]+) +\|", refusals.__doc__ or "", re.MULTILINE)}
BASES = bases()
EXAMPLE = given(st.sampled_from(range(len(BASES))), st.lists(EDITS, min_size=1, max_size=6))


@pytest.fixture(scope="module")
def worker() -> Iterator[LivingWorker]:
    job = Job(
        target="privgan.data.formats.worker:handler", configuration=configuration_of(craft.request()), seconds=10
    )
    living = LivingWorker(job)
    yield living
    living.stop()


def require_an_answer(worker: LivingWorker, path: Path, base: int, edits: list[Edit]) -> None:
    content = bytearray(BASES[base])
    for edit in edits:
        edit(content)
    answer = worker.answer(os.fsencode(craft.write(path, bytes(content))))
    assert answer not in (CRASHED, TIMED_OUT)
    reading = decode(answer, (28, 28))
    assert reading.code in CODES
    assert (reading.images is None) == bool(reading.code)


def test_the_bases_are_read(worker: LivingWorker, tmp_path: Path) -> None:
    for number in range(len(BASES)):
        require_an_answer(worker, tmp_path / "a.dcm", number, [])
        assert decode(worker.answer(os.fsencode(tmp_path / "a.dcm")), (28, 28)).code == ""


@settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@EXAMPLE
def test_any_mutation_gets_one_code(
    worker: LivingWorker, tmp_path: Path, capfd: pytest.CaptureFixture[str], base: int, edits: list[Edit]
) -> None:
    require_an_answer(worker, tmp_path / "a.dcm", base, edits)
    assert "".join(capfd.readouterr()) == ""


@pytest.mark.study
@settings(max_examples=50_000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@EXAMPLE
def test_very_many_mutations_get_one_code_each(
    worker: LivingWorker, tmp_path: Path, base: int, edits: list[Edit]
) -> None:
    require_an_answer(worker, tmp_path / "a.dcm", base, edits)
