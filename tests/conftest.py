"""Where the real images for tests and studies are, whose chance each test has, and when garbage is looked for.

Without the images, tests of them are skipped with a message.
"""

import gc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.chance import seed, take_over

SHARED = Path(__file__).parents[1].parent / "shared" / "data"

take_over()
settings.register_profile("untimed", deadline=None)  # on a busy machine time says nothing
settings.load_profile("untimed")


def pytest_configure() -> None:
    """Importing every test makes half a million objects, none of them garbage: nothing is looked for meanwhile."""
    gc.disable()


def pytest_collection_finish() -> None:
    """From now on, what the tests make is looked through alone."""
    gc.freeze()
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
