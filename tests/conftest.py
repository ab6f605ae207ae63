"""Where the real images for tests and studies are; without them, those tests are skipped with a message."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the shared real data is not beside this checkout")
    return SHARED
