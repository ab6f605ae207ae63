"""Where the real images for tests and studies are; without them, those tests are skipped with a message."""

from pathlib import Path
from typing import Any

import pytest

from tests.chance import seed, take_over

SHARED = Path(__file__).parents[1].parent / "shared" / "data"

take_over()


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
