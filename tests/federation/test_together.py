"""From an invitation to one generator at all sites: the sums are those of pooled patients, plus what was charged."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from scipy.stats import chi2
from torch import Tensor

from privgan.data.cohort.cohort import MEMBER
from privgan.dp.accounting import spend_of
from privgan.dp.budget.ledger import Ledger
from privgan.dp.noise import NORM_SLACK, gaussian_like, grid_of, replayable_generator
from privgan.dp.query import symmetric
from privgan.dp.sampling import PatientIndex
from privgan.errors import UsageError
from privgan.federation import together
from privgan.federation.exchange import Exchange
from privgan.federation.together import Sites
from privgan.gan.networks import load_generator
from privgan.gan.patients import DescribedQuery, NoisyPatients, ask
from privgan.gan.training.members import Members
from privgan.gan.training.request import TrainRequest
from privgan.gan.training.runs import resume_run
from privgan.interruption import StopRequest
from privgan.run import read_run
from privgan.synthetic.drawing import finished
from tests.federation.hospitals import EPSILON, NAMES, PATIENTS, QUESTIONS, World


def pooled(world: World) -> Members:
    """All hospitals' members in one place: what a federation exists to avoid."""
    images, labels, patients, start = [], [], [], 0
    for hospital in world.hospitals.values():
        cohort = hospital.cohort
        rows = cohort.rows(MEMBER)
        images.append(np.asarray(cohort.images[rows]))
        labels.append(cohort.labels[rows])
        patients.append(cohort.patients[rows] + start)
        start = int(patients[-1].max()) + 1
    owners = np.concatenate(patients)
    return Members(
        images=np.concatenate(images),
        labels=np.concatenate(labels),
        index=PatientIndex.of(owners, np.arange(len(owners))),
        settings=world.federation.invitation.settings,
        device=torch.device("cpu"),
        rng=np.random.default_rng(0),
    )


def test_three_hospitals_end_in_one_generator(either: World) -> None:
    """Round by round; at the end every site has the same weights, a finished run and a closed charge."""
    world = either
    world.join(NAMES[0])
    (came,) = world.round(NAMES[0])
    assert (came.joined, came.question, came.missing) == (False, 0, NAMES[1:])
    assert not world.hospitals[NAMES[0]].ledger.queries()
    world.join(*NAMES[1:])
    asked = [0] * len(NAMES)
    for _ in range(QUESTIONS):
        before, asked = asked, [came.question for came in world.round()]
        assert all(now > then for now, then in zip(asked, before, strict=True) if then < QUESTIONS)
    assert [came.facts.state for came in world.round()] == ["finished"] * len(NAMES)
    facts = [read_run(hospital.run) for hospital in world.hospitals.values()]
    assert len({each.generator_sha256 for each in facts}) == 1
    assert {each.federation for each in facts} == {world.federation.named}
    assert len({each.cohort_id for each in facts}) == len(NAMES)
    for hospital in world.hospitals.values():
        loaded = load_generator(hospital.run)
        assert loaded.levels(np.zeros(loaded.latent), 1).shape == (28, 28)
        ledger = hospital.ledger
        assert spend_of(ledger.queries(), world.federation.invitation.delta).epsilon <= EPSILON
        assert [entry["question"] for entry in ledger.of_kind("answered")] == list(range(1, QUESTIONS + 1))
        assert len(ledger.of_kind("charge")) == len(ledger.of_kind("closed")) == 1


def test_totals_are_pooled_sums_and_the_noise_of_every_site(either: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow twin: all images in one place, and each site's noise drawn again from its seed."""
    world = either
    seeds: list[int] = []
    heard: list[tuple[DescribedQuery, Tensor]] = []
    inner = Sites.noisy_sums

    def seeded() -> np.random.Generator:
        seeds.append(len(seeds))
        return replayable_generator(seeds[-1])

    def noted(self: Sites, query: DescribedQuery, noise: float) -> Tensor:
        total = inner(self, query, noise)
        if self.total.here.site.name == NAMES[-1]:
            heard.append((query, total))
        return total

    world.join()
    monkeypatch.setattr(together, "released", _noted_release(together.released, drawn := []))
    monkeypatch.setattr(together, "secure_generator", seeded)
    monkeypatch.setattr(Sites, "noisy_sums", noted)
    for _ in range(QUESTIONS + 1):
        world.round()
    last = heard[-QUESTIONS:]  # of the last command, which heard all of them
    everybody, noise = pooled(world), world.federation.invitation.noise
    assert len(drawn) == len(NAMES) * QUESTIONS
    for number, (query, total) in enumerate(last):
        own = drawn[len(NAMES) * number : len(NAMES) * (number + 1)]
        wanted = everybody.described_sums(query) + sum(
            gaussian_like(total, scale=noise[number], rng=replayable_generator(seed)) for seed in own
        )
        assert float((total - wanted).abs().max()) <= len(NAMES) * grid_of(noise[number])
        away = (total - everybody.described_sums(query)) / (noise[number] * NORM_SLACK * len(NAMES) ** 0.5)
        assert 1e-6 < float(chi2.cdf(float(away.square().sum()), away.numel())) < 1 - 1e-6


def _noted_release(inner: object, drawn: list[int]) -> object:
    """Which seed, the newest one, each release took its noise from."""

    def release(sums: list[Tensor], *, bound: float, noise: float, rng: np.random.Generator) -> list[Tensor]:
        drawn.append(int(rng.bit_generator.seed_seq.entropy))  # type: ignore[attr-defined]
        return inner(sums, bound=bound, noise=noise, rng=rng)  # type: ignore[operator]

    return release


def test_whoever_answers_with_noise_gets_none_on_top() -> None:
    class Silent:
        """Answers with the noise that is said to be in it."""

        def noisy_sums(self, query: DescribedQuery, noise: float) -> Tensor:
            return torch.full(query.shape, noise, dtype=torch.float64)

    assert isinstance(Silent(), NoisyPatients)
    query = DescribedQuery(describe=lambda images, labels: (images, labels), cells=2, dimensions=3)
    rng = np.random.default_rng(0)
    assert torch.equal(ask(Silent(), query, noise=0.5, rng=rng), torch.full((2, 3), 0.5, dtype=torch.float64))
    products = ask(Silent(), replace(query, products=True), noise=0.5, rng=rng)
    assert torch.equal(products, symmetric(torch.full((2, 6), 0.5, dtype=torch.float64), 3))


def test_nothing_but_noised_sums_lies_in_the_folder(either: World) -> None:
    """No number of a patient, no size of a site, nothing beside the fields that are signed."""
    world = either
    world.join()
    for _ in range(QUESTIONS + 1):
        world.round()
    letters = sorted(path for path in world.exchange.folder.rglob("*") if path.is_file())
    assert len(letters) == 1 + len(NAMES) * (1 + QUESTIONS)
    sizes = {hospital.cohort.facts.members for hospital in world.hospitals.values()}
    sizes |= {hospital.cohort.facts.patients for hospital in world.hospitals.values()}
    assert PATIENTS not in sizes
    for path in letters:
        content = path.read_bytes()
        payload = base64.b64decode(json.loads(content)["payload"])
        for bytes_ in (content, payload):
            assert b"QZX-" not in bytes_  # base64 has no dash: never by chance
            assert not any(
                hospital.cohort.facts.cohort_id.encode() in bytes_ for hospital in world.hospitals.values()
            )
        said = json.loads(payload)["predicate"]
        if path.parent.name == "answers":
            assert set(said) == {"site", "protocol", "privgan_version", "question", "heard", "numbers"}
        elif path.parent.name == "joined":
            assert set(said) - {"masks"} == {"site", "protocol", "privgan_version"}
        else:
            assert not _integers(said) & sizes


def _integers(value: object) -> set[int]:
    if isinstance(value, dict):
        return set().union(*map(_integers, value.values()), set())
    if isinstance(value, list):
        return set().union(*map(_integers, value), set())
    return {value} if isinstance(value, int) and not isinstance(value, bool) else set()


def test_a_killed_site_sends_the_same_answer_again(world: World) -> None:
    """Killed before an answer is announced, or after: it sends the one that it keeps."""
    world.join()
    hospital = world.hospitals[NAMES[0]]
    place = hospital.run / "private/answers/01.dsse.json"
    killed_at(Ledger, "record_answer", world)
    kept = place.read_bytes()
    killed_at(Exchange, "give", world)
    assert not world.letter(1, hospital.name).exists()
    assert place.read_bytes() == kept
    world.round(hospital.name)
    assert world.letter(1, hospital.name).read_bytes() == kept
    world.letter(1, hospital.name).unlink()
    world.round(hospital.name)
    assert world.letter(1, hospital.name).read_bytes() == kept
    assert len(hospital.ledger.of_kind("charge")) == 1


def test_a_site_that_is_killed_at_the_end_has_the_generator_that_it_closed(world: World) -> None:
    world.join()
    hospital = world.hospitals[NAMES[0]]
    while not all(world.letter(QUESTIONS, name).exists() for name in NAMES[1:]):
        world.round()
    for name in ("save_generator", "finish"):
        killed_at(together, name, world)
    assert read_run(hospital.run).state == "training"
    assert hospital.ledger.of_kind("closed")
    assert hospital.answer(world.exchange).facts.state == "finished"
    world.round()
    assert len({read_run(each.run).generator_sha256 for each in world.hospitals.values()}) == 1


class KilledError(BaseException):
    """Stands for kill -9: nothing below catches it."""


def killed_at(owner: object, name: str, world: World) -> None:
    """The first hospital's command ends where it calls that."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(owner, name, Mock(side_effect=KilledError))
        with pytest.raises(KilledError):
            world.round(NAMES[0])


def test_a_joint_run_is_not_gone_on_with_by_one_hospital(world: World) -> None:
    """Its own members would be asked the same questions again, which nobody charged; nor drawn from."""
    world.join()
    world.round()
    hospital = world.hospitals[NAMES[0]]
    with pytest.raises(UsageError, match=r"waits for answers.*privgan answer"):
        finished(hospital.run)
    request = TrainRequest(epsilon=EPSILON, settings=world.federation.invitation.settings)
    table = json.loads((hospital.run / "run.json").read_text())
    for facts in (table, {key: value for key, value in table.items() if key != "federation"}):
        (hospital.run / "run.json").write_text(json.dumps(facts))
        with pytest.raises(UsageError, match="privgan answer"):
            resume_run(hospital.cohort, Path(hospital.run), request, StopRequest())
