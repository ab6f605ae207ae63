"""What one hospital can ask of its patients, several can: records, class shares and how strong detail is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from privgan.data.cohort.options import PrepareOptions
from privgan.data.cohort.prepare import prepare
from privgan.data.columns import Wanted
from privgan.data.sources.wishes import Wishes
from privgan.dp.accounting import spend_of
from privgan.errors import InputRejectedError, IntegrityError, UsageError
from privgan.federation.questions import in_order, planned
from privgan.gan.networks.public_prior import IN_RUN, Prior
from privgan.gan.training.planning import make_plan
from privgan.gan.training.request import TrainRequest
from privgan.images.stored import with_channels
from privgan.records.schema import Schema
from privgan.run import read_run
from privgan.synthetic.generate import GenerateOptions, generate
from privgan.synthetic.seed import Seed
from tests.cli.conftest import blobs
from tests.federation.hospitals import EPSILON, NAMES, QUESTIONS, World, make_world
from tests.priors import make_prior

COLUMNS = {"sex": "category(F|M):patient", "stage": "ordinal(I<II<III)"}
ALL = QUESTIONS + 4  # the table of records, what they do to images, class shares, detail


@pytest.fixture(scope="module")
def prior(tmp_path_factory: pytest.TempPathFactory) -> Prior:
    return make_prior(tmp_path_factory.mktemp("public") / "prior", with_channels(blobs(200, 99)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three cohorts whose patients have records; a third of the images are of opacity."""
    home, found = tmp_path_factory.mktemp("records"), {}
    for number, name in enumerate(NAMES):
        owners = np.arange(60)
        source, folder = home / f"{name}.npz", home / name
        np.savez(
            source,
            images=np.clip(blobs(60, number).astype(int) + 60 * (owners % 3 == 0)[:, None, None], 0, 255).astype(
                np.uint8
            ),
            labels=(owners % 3 == 0).astype(np.int64),
            patient_id=np.array([f"QZX-{name}-{owner:05d}" for owner in owners]),
            classes=np.array(["clear", "opacity"]),
            sex=np.array(["F", "M"])[owners % 2],
            stage=np.array(["I", "II", "III"])[owners % 3],
        )
        folder.mkdir()
        prepare(source, folder, PrepareOptions(reading=Wishes(size=28, columns=Wanted(types=COLUMNS))))
        found[name] = folder
    return found


@pytest.fixture
def world(made: dict[str, Path], prior: Prior, tmp_path: Path) -> World:
    return make_world(made, tmp_path / "world", prior=prior, measure_classes=True)


def test_everything_that_is_asked_ends_in_one_generator(world: World, prior: Prior, tmp_path: Path) -> None:
    asked = world.federation.invitation
    assert (len(asked.noise), asked.columns, asked.prior) == (ALL, COLUMNS, prior.named)
    world.join()
    for _ in range(ALL):
        world.round()
    came = world.round()
    assert [each.facts.state for each in came] == ["finished"] * len(NAMES)
    facts = [read_run(hospital.run) for hospital in world.hospitals.values()]
    assert len({(each.generator_sha256, each.config_sha256, each.prior) for each in facts}) == 1
    for hospital in world.hospitals.values():
        ledger = hospital.ledger
        assert spend_of(ledger.queries(), asked.delta).epsilon <= EPSILON
        assert len(ledger.queries()) == ALL
        assert ledger.of_kind("answered")[-1]["question"] == ALL  # whether or not the prior is used
    seed, drawn = Seed.fresh(), set()
    for hospital in list(world.hospitals.values())[:2]:
        folder = tmp_path / f"set-{hospital.name}"
        folder.mkdir()
        manifest = generate(
            hospital.run, folder, GenerateOptions(count=6, classes="measured", formats=("npz",)), seed
        )
        assert manifest.records is not None
        assert manifest.records.columns == COLUMNS
        assert manifest.prior == facts[0].prior
        drawn.add((folder / "manifest.json").read_bytes())
    assert len(drawn) == 1


def test_a_plan_is_asked_in_order_and_read_back(world: World) -> None:
    """Whatever is asked besides, and whatever is not."""
    settings = world.federation.invitation.settings
    for schema in (Schema(), Schema.of(COLUMNS)):
        for measure in (False, True):
            wish = replace(settings, class_balance=replace(settings.class_balance, measure=measure))
            plan, told = make_plan(200, TrainRequest(epsilon=3.0, delta=1e-4, settings=wish), schema), bool(schema)
            noises = in_order(plan, wish, told=told)
            assert sorted(noises) == sorted(plan.up_front)
            assert (
                planned(replace(plan, warm_start=noises, records=None, class_balance=None), wish, told=told) == plan
            )


@pytest.mark.parametrize("harm", ["no prior", "another prior", "a prior that nobody named", "other columns"])
def test_who_starts_from_something_else_does_not_join(
    world: World, made: dict[str, Path], prior: Prior, tmp_path: Path, harm: str
) -> None:
    hospital = world.hospitals[NAMES[0]]
    given: Prior | None = prior
    if harm == "no prior":
        given, kind, reason = None, UsageError, prior.named.sha256
    elif harm == "another prior":
        given, kind, reason = make_prior(tmp_path / "other", with_channels(blobs(200, 7))), UsageError, "all sites"
    elif harm == "a prior that nobody named":
        world = make_world(made, tmp_path / "without")
        hospital, kind, reason = world.hospitals[NAMES[0]], UsageError, "names none"
    else:
        letter = replace(world.federation.invitation, columns={**COLUMNS, "stage": "ordinal(I<II<IV)"})
        world = world.invited_again(letter)
        kind, reason = InputRejectedError, "columns"
    with pytest.raises(kind, match=reason):
        hospital.join(world.exchange, given)
    assert not hospital.run.exists()
    assert not hospital.ledger.queries()


def test_a_prior_that_was_edited_answers_nothing(world: World) -> None:
    world.join()
    hospital = world.hospitals[NAMES[0]]
    with (hospital.run / IN_RUN / "images.npy").open("ab") as stream:
        stream.write(b"0")
    with pytest.raises(IntegrityError, match="edited"):
        world.round(NAMES[0])
    assert not hospital.ledger.queries()


def test_an_invitation_does_not_say_that_a_prior_is_far(world: World, prior: Prior) -> None:
    """Whether it is used follows from answers; who says so before has made it up."""
    asked = world.federation.invitation
    with pytest.raises(UsageError, match="no run has judged"):
        replace(asked, prior=replace(prior.named, used=False, distance=2.0))
