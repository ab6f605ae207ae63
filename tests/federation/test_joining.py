"""An invitation is believed by its signature, checked against the cohort, and agreed to before anything is spent."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import privgan
from privgan.errors import BudgetError, InputRejectedError, IntegrityError, UsageError
from privgan.federation.invitation import Federation, Invitation, Site
from privgan.federation.inviting import Asked, invitation_for
from privgan.federation.letters import federation_of, invited
from privgan.images.form import ImageForm
from privgan.run import read_run
from privgan.seals import key_line
from tests.federation.hospitals import EPSILON, NAMES, PATIENTS, QUESTIONS, World, make_world

FORM = ImageForm(side=64, classes=("normal", "pneumonia"), modality="CR")


def sites(count: int) -> tuple[Site, ...]:
    return tuple(
        Site(name=f"site-{number}", key=key_line(Ed25519PrivateKey.generate().public_key()))
        for number in range(count)
    )


def asked(count: int = 3, **changes: Any) -> Asked:
    return Asked(**{"sites": sites(count), "epsilon": 3.0, "patients": 3000, **changes})


@pytest.mark.parametrize(("count", "epsilon"), [(2, 2.0), (3, 1.6), (5, 1.2)])
def test_what_several_sites_cost_is_said_as_an_epsilon(count: int, epsilon: float) -> None:
    """Each spends what was asked; their totals are as noisy as one hospital's at a smaller epsilon."""
    invitation, chosen = invitation_for(asked(count), FORM)
    assert invitation.plan.spend().epsilon == pytest.approx(3.0, rel=0.02)
    assert invitation.as_noisy_as == pytest.approx(epsilon, rel=0.03)
    assert f"epsilon {invitation.as_noisy_as:.3g}" in chosen.outlook.told
    totals = invitation.plan_of_totals.warm_start
    assert [total / own for total, own in zip(totals, invitation.noise, strict=True)] == pytest.approx(
        [math.sqrt(count)] * len(totals)
    )


def test_joining_spends_nothing_and_says_what_will_be_spent(world: World) -> None:
    world.join(NAMES[0])
    hospital = world.hospitals[NAMES[0]]
    facts = read_run(hospital.run)
    assert (facts.state, facts.members, facts.federation) == ("training", PATIENTS, world.federation.named)
    assert facts.spend.epsilon <= EPSILON
    assert not hospital.ledger.queries()
    with pytest.raises(UsageError, match="exists"):
        world.join(NAMES[0])


def test_an_invitation_is_the_same_after_reading(world: World) -> None:
    read = federation_of(world.exchange.invitation, world.hospitals[NAMES[0]].inviter.public_key())
    assert read == world.federation
    assert len(read.invitation.noise) == QUESTIONS
    assert 0 <= read.seed < 2**63


def test_the_inviters_key_is_what_an_invitation_is_believed_by(world: World) -> None:
    hospital = world.hospitals[NAMES[0]]
    hospital.inviter = Ed25519PrivateKey.generate()
    with pytest.raises(IntegrityError, match="signature"):
        world.join(NAMES[0])
    hospital.inviter, hospital.key = world.hospitals[NAMES[1]].inviter, Ed25519PrivateKey.generate()
    with pytest.raises(UsageError, match="site that is invited"):
        world.join(NAMES[0])
    assert not hospital.run.exists()


CHANGES: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "classes": ({"form": replace(FORM, side=28, classes=("clear", "other"))}, InputRejectedError, "form"),
    "members": ({"patients": 25}, InputRejectedError, "at most 25 members"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_does_not_fit_the_cohort_is_refused(world: World, change: str) -> None:
    changes, kind, reason = CHANGES[change]
    hospital = world.hospitals[NAMES[0]]
    letter = invited(replace(world.federation.invitation, **changes), hospital.inviter)
    (world.exchange.folder / "invitation.dsse.json").write_bytes(letter)
    with pytest.raises(kind, match=reason):
        world.join(NAMES[0])
    assert not hospital.run.exists()


def test_what_the_ledger_cannot_afford_is_refused_before_anybody_answers(
    made: dict[str, Path], tmp_path: Path
) -> None:
    poor = make_world(made, tmp_path / "poor", max_epsilon=2.0)
    with pytest.raises(BudgetError, match="cap"):
        poor.join(NAMES[0])
    assert not (poor.exchange.folder / "joined" / f"{NAMES[0]}.dsse.json").exists()


ODD: dict[str, tuple[dict[str, Any], str]] = {
    "one site": ({"sites": sites(1)}, "2 to 32 sites"),
    "a site twice": ({"sites": sites(2) * 2}, "every site once"),
    "no noise": ({"noise": ()}, "every question"),
    "too little noise": ({"noise": tuple([0.5] * 4)}, "too little"),
    "an unknown transport": ({"transport": "mail"}, "transport"),
    "no epsilon": ({"epsilon": 0.0}, "epsilon"),
    "a delta of fewer patients": ({"delta": 1e-4}, "1/.10 x patients. = 3.3e-05, got 0.0001"),
    "a delta by which few patients are told": ({"patients": 10_000, "delta": 1.1e-5}, "how few it has"),
    "not a number": ({"noise": (math.nan, 9.0, 9.0, 9.0)}, "noise_0"),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_invitation_is_none(odd: str) -> None:
    changes, reason = ODD[odd]
    good, _ = invitation_for(asked(), FORM)
    with pytest.raises(UsageError, match=reason):
        replace(good, **changes)
    if odd != "not a number":
        table = json.loads(json.dumps({**good.to_json(), **json.loads(json.dumps(_plain(changes)))}))
        with pytest.raises(IntegrityError, match="fields of an invitation"):
            Invitation.from_json(table)


def _plain(changes: dict[str, Any]) -> dict[str, Any]:
    return {
        key: [{"name": each.name, "key": each.key} if isinstance(each, Site) else each for each in value]
        if isinstance(value, tuple)
        else value
        for key, value in changes.items()
    }


@pytest.mark.parametrize("change", [{"privgan_version": "0.0.1"}, {"protocol": 1}])
def test_another_version_is_told_as_such(change: dict[str, Any]) -> None:
    good, _ = invitation_for(asked(), FORM)
    with pytest.raises(IntegrityError, match=f"privgan {privgan.__version__}"):
        Invitation.from_json({**good.to_json(), **change})


@pytest.mark.parametrize("name", ["", "Heidelberg", "a b", "-a", "a/b", "..", "a" * 33, "ü", "nul", "com1"])
def test_a_sites_name_is_a_files(name: str) -> None:
    with pytest.raises(UsageError, match="site's name"):
        Site(name=name, key=sites(1)[0].key)


def test_two_invitations_are_two_federations() -> None:
    one, other = (invitation_for(asked(), FORM)[0] for _ in range(2))
    key = Ed25519PrivateKey.generate()
    made = [federation_of(invited(each, key), key.public_key()) for each in (one, other, one)]
    assert made[0] == made[2]
    for part in ("sha256", "run_id", "seed", "heard_nothing"):
        assert getattr(made[0], part) != getattr(made[1], part)
    assert isinstance(made[0], Federation)
