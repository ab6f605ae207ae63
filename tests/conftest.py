"""Where the real images for tests and studies are, what is tested first, whose chance each test has, and when garbage
is looked for.

Without the images, tests of them are skipped with a message.
"""

import gc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.chance import seed, take_over
from tests.disk import wait_for_none

TESTS = Path(__file__).parent
SHARED = TESTS.parents[1] / "shared" / "data"
# Eight seconds of processor time and more, the longest first: one that begins last keeps the other process waiting.
LONGEST = (
    "audits/questions/test_generators.py",
    "cli/test_audit_files.py",
    "audits/questions/test_controls.py",
    "audits/test_audit.py",
    "cli/test_processes.py",
    "dp/test_accountants.py",
    "gan/ranks/test_together.py",
    "audits/questions/networks/test_networks.py",
    "cli/test_whole_path.py",
    "audits/questions/utility/test_realism.py",
    "dp/test_accounting.py",
    "audits/desk/test_browser.py",
    "audits/desk/test_deciding.py",
    "audits/release/test_nothing_private.py",
    "cli/test_audit_files_leak.py",
    "cli/test_wrong_values.py",
    "cli/test_bad_input.py",
    "cli/test_train.py",
    "cli/test_augment.py",
    "cli/test_officers_laptop.py",
    "cli/test_transcripts.py",
    "cli/test_hospitals.py",
)

take_over()
wait_for_none()
settings.register_profile("untimed", deadline=None)  # on a busy machine time says nothing
settings.load_profile("untimed")


def pytest_configure() -> None:
    """Importing every test makes half a million objects, none of them garbage: nothing is looked for meanwhile."""
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """LONGEST first, the others as they come."""
    turns = {TESTS / name: turn for turn, name in enumerate(LONGEST)}
    if gone := [str(file) for file in turns if not file.is_file()]:
        raise pytest.UsageError(f"Expected the files of LONGEST in tests/conftest.py, these are gone: {gone}.")
    items.sort(key=lambda item: turns.get(item.path, len(turns)))


def pytest_collection_finish() -> None:
    """From now on, what the tests make is looked through alone, and not after every 700 objects."""
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> None:
    """What a fixture draws is its own, whichever test asked for it first."""
    seed(f"{fixturedef.baseid} {fixturedef.argname} {getattr(request, 'param', '')}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    seed(item.nodeid)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the shared real data is not beside this checkout")
    return SHARED
