"""Names of classes leave with every image, so they are names and no letters to somebody."""

import secrets
from pathlib import Path

import numpy as np
import pytest

from privgan.checks import LONGEST_NAME, MOST_NAMES, require_line, require_names
from privgan.data.cohort.options import PrepareOptions
from privgan.data.cohort.prepare import prepare
from privgan.data.sources.wishes import Wishes
from privgan.errors import UsageError

LONG = "normal-" + secrets.token_urlsafe(1900)


@pytest.mark.parametrize(
    "name",
    [
        *("normal", "BI-RADS 4a/b (left)", "COVID-19", "Glioblastom Grad 4", "größe", "हृदय", "正常", "a+b_c.d"),
        *("x" * 64, "TGF-β", "TGFβ", "КТ chest", "норма", "\u095c", "폐렴", "脑膜瘤 II 级"),
    ],
)
def test_words_of_any_script_are_names(name: str) -> None:
    require_names([name], what="class names", typed=False)


@pytest.mark.parametrize(
    "name",
    [
        *("", "x" * (LONGEST_NAME + 1), LONG, "a=b", "a\nb", "\u200b", "\U000e0041", "<b>", "a:1"),
        # What nobody sees, and what looks like another name:
        *("normal\ufe01", "normal\U000e01ef", "a\u3164b", "\u115f", "n\u034formal", "normal\u17b4", "a\u180b"),
        *("gro\u0308\u00dfe", "\uff4eormal", "\U0001d427ormal", "n\u043ermal"),
    ],
)
def test_what_is_no_name_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(UsageError, match="1 of 2 are longer or hold something else") as caught:
        require_names(["normal", name], what="class names", typed=True)
    assert len(name) < 9 or name not in str(caught.value)


@pytest.mark.parametrize("hidden", ["\ufe01", "\U000e01ef", "\u3164", "\u2800", "\u200b", "\x1b[2K", "\n"])
def test_a_line_that_leaves_hides_nothing(hidden: str) -> None:
    require_line(99, title="Chest X-rays, 正常")
    with pytest.raises(UsageError, match="one line"):
        require_line(99, title=f"Chest{hidden} X-rays")


def test_many_names_are_typed() -> None:
    many = [f"class {number}" for number in range(MOST_NAMES + 1)]
    require_names(many, what="class names", typed=True)
    require_names(many[:-1], what="class names", typed=False)
    with pytest.raises(UsageError, match="nobody typed"):
        require_names(many, what="class names", typed=False)


@pytest.mark.parametrize("classes", [("normal", LONG), tuple(f"c{n}" for n in range(MOST_NAMES + 1))])
def test_a_source_with_such_classes_is_not_prepared(tmp_path: Path, classes: tuple[str, ...]) -> None:
    """Those in a file are nobody's typed ones."""
    rng, count = np.random.default_rng(0), 10 * len(classes)
    np.savez(
        tmp_path / "source.npz",
        images=rng.integers(0, 256, (count, 28, 28), dtype=np.uint8),
        labels=np.arange(count) % len(classes),
        patient_id=np.arange(count),
        classes=np.array(classes),
    )
    (tmp_path / "cohort").mkdir()
    with pytest.raises(UsageError, match="class names"):
        prepare(tmp_path / "source.npz", tmp_path / "cohort", PrepareOptions(reading=Wishes(size=28)))
