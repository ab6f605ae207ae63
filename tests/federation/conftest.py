"""Cohorts that are made once, and a federation of their copies for every test."""

from pathlib import Path

import pytest

from tests.federation.hospitals import World, make_cohorts, make_world


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_cohorts(tmp_path_factory.mktemp("hospitals"))


@pytest.fixture
def world(made: dict[str, Path], tmp_path: Path) -> World:
    return make_world(made, tmp_path / "world")
