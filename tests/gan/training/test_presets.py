"""Presets: more patients and more epsilon ask for more of the model, and train.toml has the last word."""

import itertools
from pathlib import Path

import pytest

from privgan.errors import UsageError
from privgan.gan.names import BALANCED, LARGE_COHORT, SLICES, SMALL_COHORT
from privgan.gan.names import PRESETS as NAMES
from privgan.gan.training.presets import choose
from privgan.gan.training.settings import PRESETS, read_settings


def test_more_patients_and_more_epsilon_never_ask_for_less() -> None:
    """Along patients and along epsilon the choice climbs from small to large, and every preset is reached."""
    rank = {name: place for place, name in enumerate(NAMES)}
    patients, epsilons = (50, 300, 3000, 60_000, 10**6), (0.5, 1.0, 3.0, 10.0)
    grid = [[rank[choose(n, classes=3, epsilon=e, delta=1e-6).preset] for n in patients] for e in epsilons]
    for row in (*grid, *zip(*grid, strict=True)):
        assert all(a <= b for a, b in itertools.pairwise(row))
    assert {place for row in grid for place in row} == {0, 1, 2}


@pytest.mark.parametrize(
    ("members", "classes", "epsilon", "minutes", "preset"),
    [
        (150, 2, 1.0, None, SMALL_COHORT),
        (2779, 3, 3.0, None, BALANCED),
        (60_000, 10, 1.0, None, BALANCED),
        (60_000, 10, 10.0, None, LARGE_COHORT),
        (60_000, 10, 10.0, 1.0, BALANCED),
        (60_000, 10, 10.0, 10.0, LARGE_COHORT),
    ],
)
def test_known_cohorts_get_what_suits_them(
    members: int, classes: int, epsilon: float, minutes: float | None, preset: str
) -> None:
    """A ward, a department, two public data sets; the reason names the numbers it was chosen by."""
    found = choose(members, classes=classes, epsilon=epsilon, delta=1e-5, minutes=minutes)
    assert found.preset == preset
    assert str(members) in found.reason
    assert f"epsilon {epsilon:g}" in found.reason


def test_slices_ask_for_kinds_where_there_are_patients_for_them() -> None:
    """A few hundred patients or chest X-rays do not; the choice goes by the modality's code alone."""
    found = {
        (members, modality): choose(members, classes=1, epsilon=3.0, delta=1e-5, modality=modality).preset
        for members in (700, 5_000)
        for modality in ("", "CR", "CT", "MR")
    }
    assert {key for key, preset in found.items() if preset == SLICES} == {(5_000, "CT"), (5_000, "MR")}
    assert PRESETS[SLICES].warm_start.components > 1


def test_a_preset_may_be_named_and_an_unknown_one_is_refused() -> None:
    """Names are taken at their word."""
    assert choose(100, classes=2, epsilon=1.0, delta=1e-4, named=LARGE_COHORT).preset == LARGE_COHORT
    with pytest.raises(UsageError, match="huge"):
        choose(100, classes=2, epsilon=1.0, delta=1e-4, named="huge")
    assert choose(100, classes=2, epsilon=1e6, delta=1e-4).preset in NAMES


def test_the_file_wins_over_the_preset_and_the_batch_fits_the_members(tmp_path: Path) -> None:
    """What train.toml leaves out is the preset's; a batch of the preset is at most half of the members."""
    path = tmp_path / "train.toml"
    path.write_text("schema = 1\n[warm_start]\norder = 9\n")
    choice = choose(60_000, classes=10, epsilon=10.0, delta=1e-5)
    settings = read_settings(path, preset=choice.preset, members=choice.members)
    wanted = PRESETS[LARGE_COHORT]
    assert settings.warm_start.order == 9
    assert settings.warm_start.components == wanted.warm_start.components
    assert settings.privacy == wanted.privacy
    few = choose(40, classes=2, epsilon=1.0, delta=1e-3)
    assert read_settings(None, preset=few.preset, members=few.members).privacy.batch == 20
    path.write_text('schema = 1\npreset = "balanced"\n')
    assert read_settings(path, preset=choice.preset, members=choice.members) == PRESETS[BALANCED]
    path.write_text('schema = 1\npreset = "bold"\n')
    with pytest.raises(UsageError, match="bold"):
        read_settings(path, preset=choice.preset, members=choice.members)
