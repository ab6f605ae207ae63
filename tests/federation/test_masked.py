"""Masked answers: alone they are uniform, together they are the total; who colludes takes off their own alone."""

import base64
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from scipy.stats import chi2, kstest

from privgan.errors import IntegrityError, UsageError
from privgan.federation.adding import Masked
from privgan.federation.inviting import invitation_for
from privgan.federation.letters import Answer, read_joined
from privgan.federation.masks import Masks, key_of_mask_line, mask_key, mask_line
from privgan.federation.vectors import packed, unpacked
from tests.federation.hospitals import NAMES, World
from tests.federation.test_joining import FORM, asked

NORTH, SOUTH, WEST = NAMES
FEDERATION = "ab" * 32


def masks_of(names: tuple[str, ...], federation: str = FEDERATION, seed: int = 0) -> dict[str, Masks]:
    """Of sites with keys that follow from their numbers."""
    signing = [Ed25519PrivateKey.from_private_bytes(bytes([seed, number]) * 16) for number in range(len(names))]
    keys = {name: mask_key(key, federation) for name, key in zip(names, signing, strict=True)}
    lines = {name: mask_line(key) for name, key in keys.items()}
    return {
        name: Masks(
            federation=federation,
            own=name,
            key=key,
            others={other: key_of_mask_line(line) for other, line in lines.items() if other != name},
        )
        for name, key in keys.items()
    }


@pytest.mark.parametrize("count", [2, 3, 5])
def test_masks_vanish_in_the_sum_of_all_and_of_no_fewer(count: int) -> None:
    masks = masks_of(tuple(f"site-{number}" for number in range(count)))
    each = [mask.of(3, (4, 50)) for mask in masks.values()]
    assert not bool(torch.stack(each).sum(0).any())
    for left_out in range(count):
        rest = torch.stack([mask for number, mask in enumerate(each) if number != left_out]).sum(0)
        assert torch.equal(rest, -each[left_out])


def test_a_mask_is_uniform_and_another_for_every_question_federation_and_site() -> None:
    """As far as bytes and 64-bit numbers show."""
    count = 20_000
    streams = [
        masks_of(NAMES)[NORTH].of(1, (count,)),
        masks_of(NAMES)[NORTH].of(2, (count,)),
        masks_of(NAMES, federation="cd" * 32)[NORTH].of(1, (count,)),
        masks_of(NAMES, seed=1)[NORTH].of(1, (count,)),
        masks_of(NAMES)[SOUTH].of(1, (count,)),
    ]
    for number, stream in enumerate(streams):
        values = stream.numpy()
        assert kstest(values / 2.0**64 + 0.5, "uniform").pvalue > 1e-4
        counts = np.bincount(np.frombuffer(values.tobytes(), np.uint8), minlength=256)
        expected = 8 * count / 256
        assert 1e-5 < chi2.cdf(((counts - expected) ** 2 / expected).sum(), 255) < 1 - 1e-5
        assert not any(torch.equal(stream, other) for other in streams[:number])
    assert torch.equal(streams[0], masks_of(NAMES)[NORTH].of(1, (count,)))


@pytest.mark.parametrize("line", ["", "AAAA", "not base64!", None, "A" * 43 + "="])
def test_a_line_that_is_no_key_is_refused(line: object) -> None:
    """The last is a point of small order: every secret with it would be the same."""
    with pytest.raises(IntegrityError, match="public key for masks"):
        replace(masks_of(NAMES)[NORTH], others={SOUTH: key_of_mask_line(line)}).of(1, (2,))


def numbers_of(world: World, name: str) -> torch.Tensor:
    """Of the first answer, as anybody can read them."""
    site = world.hospitals[name].site
    answer = Answer.read(world.letter(1, name).read_bytes(), world.federation, site, 1)
    return unpacked(answer.numbers, (1, len(base64.b64decode(answer.numbers)) // 8), "i8")


def own_masks(world: World, name: str) -> Masks:
    """What a site that colludes can tell."""
    lines = {
        other: read_joined((world.exchange.yes(other) or b""), world.federation, world.hospitals[other].site)
        for other in NAMES
    }
    return Masks(
        federation=world.federation.sha256,
        own=name,
        key=mask_key(world.hospitals[name].key, world.federation.sha256),
        others={other: key_of_mask_line(line) for other, line in lines.items() if other != name},
    )


def test_one_answer_says_nothing_and_all_say_the_total(masked: World) -> None:
    """A colluding site knows its own numbers and masks; of several, and of the noise left, see `test_colluding`."""
    masked.join()
    masked.round()
    invitation = masked.federation.invitation
    grid, noise = invitation.grid(1), invitation.noise[0]
    letters = {name: numbers_of(masked, name) for name in NAMES}
    for values in letters.values():
        assert kstest(values.numpy().ravel() / 2.0**64 + 0.5, "uniform").pvalue > 1e-4
    total = torch.stack(list(letters.values())).sum(0).double() * grid
    assert float(total.norm()) < invitation.longest_total(1, total.numel())
    conspirator = own_masks(masked, WEST)
    theirs = letters[WEST] - conspirator.of(1, tuple(letters[WEST].shape))
    others = (total / grid - theirs.double()) * grid
    assert float(others.norm()) < invitation.longest_total(1, total.numel())
    assert float((theirs.double() * grid).norm()) < invitation.longest(1, total.numel())
    # With west's masks alone, north's answer is as uniform as it was.
    half = letters[NORTH] + conspirator._shared(NORTH, conspirator.others[NORTH], 1, letters[NORTH].numel())
    assert kstest(half.numpy().ravel() / 2.0**64 + 0.5, "uniform").pvalue > 1e-4
    assert noise * math.sqrt(len(NAMES) - invitation.colluding) == pytest.approx(invitation.plan.warm_start[0])


@pytest.mark.parametrize(
    ("count", "colluding", "times"), [(3, None, 1.5), (5, None, 5 / 3), (5, 3, 2.5), (4, 2, 2.0)]
)
def test_totals_bear_less_noise_than_files(count: int, colluding: int | None, times: float) -> None:
    """The variance is k / (k - t) times what is charged, and k times by files."""
    masked, _ = invitation_for(asked(count, transport="masked", colluding=colluding), FORM)
    files, _ = invitation_for(asked(count), FORM)
    assert masked.plan.warm_start == pytest.approx(files.plan.warm_start)
    ratio = masked.plan_of_totals.warm_start[0] / masked.plan.warm_start[0]
    assert ratio**2 == pytest.approx(times)
    assert files.as_noisy_as < masked.as_noisy_as < 3.0 < masked.own_plan.spend().epsilon
    assert files.own_plan == files.plan


def test_two_sites_are_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match="take its own from the total"):
        invitation_for(asked(2, transport="masked"), FORM)
    for colluding in (0, 2, 3):
        with pytest.raises(UsageError, match="1 to 1 colluding"):
            invitation_for(asked(3, transport="masked", colluding=colluding), FORM)
    with pytest.raises(UsageError, match="0 to 0 colluding"):
        invitation_for(asked(3, colluding=1), FORM)


def test_a_site_that_drops_out_ends_the_round_which_stays_charged(masked: World) -> None:
    masked.join()
    came = masked.round(NORTH, SOUTH)
    assert [each.missing for each in came] == [(SOUTH, WEST), (WEST,)]
    assert masked.hospitals[NORTH].ledger.queries()
    assert masked.round(NORTH)[0].missing == (WEST,)


def test_a_masked_lie_is_seen_in_the_total_alone(masked: World) -> None:
    """Where it is larger than members can be; whose it is, nobody knows."""
    masked.join()
    masked.round(SOUTH)
    south = masked.hospitals[SOUTH]
    answer = Answer.read(masked.letter(1, SOUTH).read_bytes(), masked.federation, south.site, 1)
    values = numbers_of(masked, SOUTH)
    for change in (1 << 50, int(20_000 / masked.federation.invitation.grid(1))):
        forged = replace(answer, numbers=packed(values + change))
        masked.letter(1, SOUTH).write_bytes(forged.signed(masked.federation, south.site, south.key))
        with pytest.raises(IntegrityError, match="these are larger"):
            masked.round(WEST, NORTH, WEST)


def test_a_site_that_says_yes_again_with_another_key_is_noticed(masked: World) -> None:
    """Those who had answered by the first key refuse; nobody adds up what does not belong together."""
    masked.join()
    masked.round(NORTH)
    west = masked.hospitals[WEST]
    with pytest.MonkeyPatch.context() as patched:
        other = mask_key(Ed25519PrivateKey.generate(), masked.federation.sha256)
        patched.setattr("privgan.federation.letters.mask_key", lambda *_: other)
        west.run = west.run.with_name("again")
        west.join(masked.exchange)
    with pytest.raises(IntegrityError, match="exchanged since"):
        masked.round(NORTH)


def test_a_yes_without_a_key_is_none(masked: World) -> None:
    masked.join(NORTH)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("privgan.federation.letters.MASKED", "nothing")
        masked.join(SOUTH, WEST)
    with pytest.raises(IntegrityError, match="public key for masks"):
        masked.round(NORTH)
    assert not masked.hospitals[NORTH].ledger.queries()


def test_what_is_too_large_for_a_mask_is_refused_at_home(masked: World) -> None:
    adding = Masked(invitation=masked.federation.invitation, masks=masks_of(NAMES)[NORTH])
    with pytest.raises(IntegrityError, match="fit into a masked answer"):
        adding.given(torch.full((1, 2), 1e30, dtype=torch.float64), 1)
