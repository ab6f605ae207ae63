"""plan explains what train would choose."""

import json

from privgan.gan.presets import BALANCED
from tests.cli.conftest import Privgan


def test_plan_says_which_preset_and_why(privgan: Privgan) -> None:
    """In words and in JSON."""
    sizes = ("--patients", 3000, "--batch", 3000, "--steps", 5, "--class-count", 2)
    asked = ("plan", *sizes, "--noise-multiplier", 3, "--accept-low-power")
    assert f"preset {BALANCED}: 3000 patients in 2 classes" in privgan(*asked).stdout
    assert json.loads(privgan(*asked, "--json").stdout)["preset"] == BALANCED
