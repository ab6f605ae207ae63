"""A run whose prior turns out to be of another kind: it leaves it out, says so, and is resumed like any."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from privgan.data.cohort.cohort import Cohort, CohortFacts, open_cohort
from privgan.data.cohort.options import PrepareOptions
from privgan.data.cohort.prepare import prepare
from privgan.data.sources.wishes import Wishes
from privgan.dp.budget.ledger import Ledger
from privgan.errors import IntegrityError, PreemptedError
from privgan.files import read_json, sha256_file
from privgan.gan.finishing.nearness import FARTHEST
from privgan.gan.networks import load_generator
from privgan.gan.networks.public_prior import IN_RUN, Prior, open_prior
from privgan.gan.networks.saving import SCHEMA_VERSION
from privgan.gan.training import beginning
from privgan.gan.training import step as step_module
from privgan.gan.training.request import TrainRequest
from privgan.gan.training.runs import resume_run, start_run
from privgan.interruption import StopRequest
from privgan.run import MODEL_CONFIG, RunFacts, read_run, write_run
from privgan.synthetic.generate import GenerateOptions, generate
from privgan.synthetic.seed import Seed
from privgan.synthetic.synthetic_set import open_synthetic_set
from tests.gan.training.test_prior_runs import REQUEST
from tests.priors import make_prior
from tests.takes import takes

PATIENTS, SIDE = 900, 28


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CohortFacts]:
    """Phantoms, so many that the sums say of what kind they are; all members but few, so that they are the same."""
    home = tmp_path_factory.mktemp("prepared")
    source, folder = home / "source.npz", home / "cohort"
    images = takes(PATIENTS, seed=1, side=SIDE)[..., 0]
    np.savez(source, images=images, labels=np.arange(PATIENTS) % 2, patient_id=np.arange(PATIENTS))
    folder.mkdir()
    return folder, prepare(source, folder, PrepareOptions(reading=Wishes(size=SIDE), non_members=0.01))


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Prior:
    return make_prior(tmp_path_factory.mktemp("near") / "prior", takes(300, seed=2, side=SIDE))


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Prior:
    """The same with every pixel elsewhere: as bright and as varied, and no chest."""
    images = takes(300, seed=2, side=SIDE).reshape(300, -1)
    order = np.random.default_rng(0).permutation(images.shape[1])
    images = np.ascontiguousarray(images[:, order]).reshape(300, SIDE, SIDE, 1)
    return make_prior(tmp_path_factory.mktemp("far") / "prior", images)


def asking(prior: Prior, steps: int = 0) -> TrainRequest:
    return replace(REQUEST, epsilon=9.0, prior=prior, steps=steps, replay_seed=1)


def refused(*_: object, **_of: object) -> None:
    raise AssertionError("Expected nobody to be asked.")


def test_a_near_prior_is_used_and_its_distance_told(cohort: Cohort, near: Prior, tmp_path: Path) -> None:
    facts = start_run(cohort, tmp_path / "run", asking(near), StopRequest(), force=False)
    assert facts.prior is not None
    assert facts.prior.used
    assert facts.prior.distance is not None
    assert facts.prior.distance < 0.8
    assert facts.prior == read_run(tmp_path / "run").prior
    assert "nearer than those" in facts.prior.measured
    assert f"{facts.prior.distance:.2f} times" in facts.prior.measured
    assert "Public images shaped these pictures" in facts.prior.sentence
    assert load_generator(tmp_path / "run").network.finish is not None


@pytest.fixture(scope="module")
def left_out(
    prepared: tuple[Path, CohortFacts], far: Prior, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, RunFacts]:
    """Nobody is asked how strong detail is, though that was charged: whose would it be made as strong as?"""
    made, members = prepared
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("left") / "cohort"))
    opened = {"cohort_sha256": sha256_file(folder / "cohort.json"), "members": members.members}
    Ledger.create(folder / "private" / "ledger.jsonl", **opened, delta=1e-3, max_epsilon=10.0)
    run = folder.parent / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beginning, "measure_powers", refused)
        patch.setattr(step_module, "adapted", refused)
        found = start_run(open_cohort(folder), run, asking(far), StopRequest(), force=False)
    return run, found


def test_a_far_prior_is_left_out(left_out: tuple[Path, RunFacts], far: Prior) -> None:
    """Beyond the charge, the run is what one without a prior is; its folder still holds what it was given."""
    run, facts = left_out
    assert facts.prior is not None
    assert not facts.prior.used
    assert facts.prior.distance is not None
    assert facts.prior.distance >= FARTHEST
    assert facts.prior.as_learned == far.named == open_prior(run / IN_RUN).named
    assert "shaped nothing" in facts.prior.sentence
    assert "went on without them" in facts.prior.measured
    network = load_generator(run).network
    assert network.finish is None
    assert network.strengths is None
    assert not network.start.shape.uneven
    config = read_json(run / MODEL_CONFIG)
    assert config["schema_version"] == SCHEMA_VERSION
    assert "prior" not in config
    assert len(facts.plan["warm_start"]) == len(REQUEST.settings.warm_start.noise_ratios) + 1  # as charged


def test_its_sets_say_that_the_public_images_shaped_nothing(left_out: tuple[Path, RunFacts], tmp_path: Path) -> None:
    run, facts = left_out
    (tmp_path / "set").mkdir()
    manifest = generate(run, tmp_path / "set", GenerateOptions(count=4, formats=("npz",)), Seed.fresh())
    assert manifest.prior == facts.prior == open_synthetic_set(tmp_path / "set").manifest.prior
    card = (tmp_path / "set" / "README.md").read_text()
    assert "Public images were given and shaped nothing of these pictures: 300, from the archive of Anytown" in card
    assert facts.prior is not None
    edited = tmp_path / "edited"
    shutil.copytree(run, edited)
    write_run(edited, replace(facts, prior=facts.prior.as_learned))
    with pytest.raises(IntegrityError, match="public prior that the generator was made with"):
        generate(edited, tmp_path / "set", GenerateOptions(count=4, formats=("npz",)), Seed.fresh())


@pytest.mark.parametrize("repeated", [True, False])
def test_it_is_stopped_and_resumed_without_the_prior(
    cohort: Cohort, far: Prior, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, repeated: bool
) -> None:
    """What was decided stands in the state: nobody is asked again, and nothing is compared again."""
    run, stop = tmp_path / "run", StopRequest()
    stop.signal = 15
    with pytest.raises(PreemptedError):
        start_run(cohort, run, replace(asking(far, 3), replay_seed=None), stop, force=False)
    assert read_run(run).prior == far.named
    for name in ("measure_mixture", "measure_powers", "judged"):
        monkeypatch.setattr(beginning, name, refused)
    request = replace(REQUEST, epsilon=9.0, prior=far if repeated else None)
    facts = resume_run(cohort, run, request, StopRequest())
    assert facts.prior is not None
    assert (facts.prior.used, facts.prior.as_learned) == (False, far.named)
    assert facts.finished_steps == 3
    assert load_generator(run).network.finish is None


def test_killed_before_run_json_says_so_it_says_so_all_the_same(cohort: Cohort, far: Prior, tmp_path: Path) -> None:
    run, request = tmp_path / "run", asking(far)
    start_run(cohort, run, request, StopRequest(), force=False)
    finished = read_run(run)
    write_run(run, replace(finished, state="training", prior=far.named, generator_sha256="", config_sha256=""))
    assert resume_run(cohort, run, replace(request, replay_seed=None), StopRequest()) == finished


def test_a_run_that_names_another_prior_is_not_gone_on_with(
    cohort: Cohort, near: Prior, far: Prior, tmp_path: Path
) -> None:
    """The state vouches for the one that was left out, too."""
    run, stop = tmp_path / "run", StopRequest()
    stop.signal = 15
    with pytest.raises(PreemptedError):
        start_run(cohort, run, replace(asking(far, 3), replay_seed=None), stop, force=False)
    shutil.rmtree(run / IN_RUN)
    near.copy(run / IN_RUN)
    write_run(run, replace(read_run(run), prior=near.named))
    with pytest.raises(IntegrityError, match=r"began with, run\.json and its folder name another"):
        resume_run(cohort, run, replace(REQUEST, epsilon=9.0), StopRequest())
