"""plan explains what train would choose."""

from privgan.gan.presets import BALANCED
from tests.cli.conftest import Privgan


def test_plan_says_which_preset_and_why(privgan: Privgan) -> None:
    """With the numbers that it was chosen by."""
    sizes = ("--patients", 3000, "--batch", 3000, "--steps", 5, "--class-count", 2)
    asked = ("plan", *sizes, "--noise-multiplier", 3, "--accept-low-power")
    assert f"preset {BALANCED}: 3000 patients in 2 classes" in privgan(*asked).stdout
