"""Cohorts that are made once, and a federation of their copies for every test."""

from pathlib import Path

import pytest

from tests.federation.hospitals import World, make_cohorts, make_world
from tests.federation.joint import Together, copied, make_together


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_cohorts(tmp_path_factory.mktemp("hospitals"))


@pytest.fixture
def world(made: dict[str, Path], tmp_path: Path) -> World:
    """By files, each of which may be read."""
    return make_world(made, tmp_path / "world")


@pytest.fixture
def masked(made: dict[str, Path], tmp_path: Path) -> World:
    """By masked answers, whose sum alone may be read."""
    return make_world(made, tmp_path / "masked", transport="masked")


@pytest.fixture(params=["files", "masked"])
def either(made: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest) -> World:
    return make_world(made, tmp_path / "either", transport=request.param)


@pytest.fixture(scope="session")
def agreed_once(tmp_path_factory: pytest.TempPathFactory) -> Together:
    """Three hospitals of which each has audited, approved and agreed; and what one of them has released."""
    together = make_together(tmp_path_factory.mktemp("together"))
    together.release()
    return together


@pytest.fixture
def together(agreed_once: Together, tmp_path: Path) -> Together:
    """The same, to be changed, with the bundle."""
    return copied(agreed_once, tmp_path / "together")
