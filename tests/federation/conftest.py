"""Cohorts that are made once, and a federation of their copies for every test."""

from pathlib import Path

import pytest

from tests.federation.hospitals import World, make_cohorts, make_world


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
