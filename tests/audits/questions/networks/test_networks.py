"""T4: networks that know patients by heart are found, others are not, and only the run's own are asked."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from privgan.files import sha256_file
from privgan.gan.networks import Discriminator, Generator, GeneratorConfig, LoadedGenerator, save_generator
from privgan.gan.warm_start import Mixture
from privgan.images.pixels import from_uint8
from privgan.images.stored import with_channels
from privgan.progress import silent
from privgan.records.pairs import Pairs
from privgan.records.schema import Schema
from privgan.records.table import Table
from privgan.run import WEIGHTS, ModelDigests
from privgan_audits.evidence.interface import (
    NO_NON_MEMBERS,
    Evidence,
    Measured,
    NotApplicable,
    NotRun,
    Outcome,
    Sample,
)
from privgan_audits.questions.networks import inversion
from privgan_audits.questions.networks import measure as white_box
from privgan_audits.questions.networks.discriminator import discriminator_scores
from privgan_audits.questions.networks.inversion import invert
from privgan_audits.questions.networks.measure import Real, discriminator_order, inversion_order
from privgan_audits.questions.networks.networks import run_networks
from privgan_audits.questions.scores import patient_scores
from tests.audits.questions.networks.hospital import (
    EPSILON,
    FORM,
    SIZE,
    Networks,
    make_hospital,
    part_of,
    patients,
    trained_networks,
)

STATE = Path("private/state.safetensors")
UNKNOWN = ModelDigests(generator_sha256="", config_sha256="")
TRAINED_ON = patients(16, 11)


@pytest.fixture(scope="module")
def networks() -> Networks:
    """Overfitted on TRAINED_ON."""
    return trained_networks(TRAINED_ON, 1300, seed=1)


@pytest.fixture(scope="module")
def leaking(networks: Networks, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """Whom the networks know, beside others."""
    return make_hospital(tmp_path_factory.mktemp("leaking"), TRAINED_ON, patients(24, 51, first=16), networks)


def run(evidence: Evidence, seed: int = 0) -> Outcome:
    return white_box.measure(evidence, np.random.default_rng(seed))


def findings(outcome: Outcome) -> dict[str, Any]:
    assert isinstance(outcome, Measured)
    assert not outcome.series
    assert not outcome.internal
    return dict(outcome.findings)


def test_overfitted_networks_give_their_patients_away(leaking: Evidence) -> None:
    found = findings(run(leaking))
    discriminator, steered = found["discriminator"], found["inversion"]
    assert discriminator["auc"] >= 0.9
    assert discriminator["p"] < 1e-4
    assert steered["auc"] >= 0.7
    assert steered["p"] < 0.01
    assert found["p"] < 1e-4
    assert steered["distance"] < 0.8 * steered["distance_at_start"]
    for table in (discriminator, steered):
        assert (table["members"], table["non_members"]) == (16, 24)
        assert table["auc_interval"][0] < table["auc"] <= table["auc_interval"][1]
        assert table["tpr"] == {"10_percent": table["tpr"]["10_percent"]}  # 24 non-members support no rarer one


def test_perfect_recognition_breaks_a_claim_of_epsilon_1(leaking: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many more patients, and a discriminator that knows exactly the members."""
    everyone = patients(160, 5)
    member = everyone.patients < 100
    known = torch.from_numpy(everyone.images[member].reshape(100, -1).astype(np.float32))

    def logits(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        grey = ((images.flatten(1) + 1) * 127.5).round()
        return -torch.cdist(grey, known).min(dim=1).values

    logits.levels = ()  # type: ignore[attr-defined]
    loaded = run_networks(leaking, leaking.claim) if leaking.claim else None
    assert loaded is not None
    monkeypatch.setattr(white_box, "run_networks", lambda *_: dataclasses.replace(loaded, discriminator=logits))
    monkeypatch.setattr(inversion, "STEPS", 0)
    sides = {"members": part_of(everyone, member), "non_members": part_of(everyone, ~member)}
    found = findings(run(dataclasses.replace(leaking, **sides)))
    assert found["discriminator"]["auc"] == 1.0
    assert EPSILON < found["epsilon_lower_bound"] == found["largest_provable_epsilon"]


def test_patients_whom_the_networks_never_saw_stay_unknown(
    networks: Networks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Overfitted as they are, on others: any split of these patients is as good as any other."""
    monkeypatch.setattr(inversion, "STEPS", 6)
    monkeypatch.setattr(inversion, "AT_64_PIXELS", 2)  # 32 images of 16 pixels: not every patient is tried
    monkeypatch.setattr(inversion, "FEWEST", 1)
    everyone, rng = patients(48, 7, first=100), np.random.default_rng(8)
    evidence = make_hospital(tmp_path, everyone, patients(1, 8), networks)
    ps = []
    for seed in range(4):
        member = np.isin(everyone.patients, rng.permutation(np.unique(everyone.patients))[:30])
        split = {"members": part_of(everyone, member), "non_members": part_of(everyone, ~member)}
        found = findings(run(dataclasses.replace(evidence, **split), seed))
        assert found["epsilon_lower_bound"] == 0.0
        assert found["inversion"]["members"] + found["inversion"]["non_members"] == 32
        ps.append(found["p"])
    assert min(ps) > 0.002
    assert max(ps) > 0.3


def test_who_is_a_member_changes_no_patients_score(leaking: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor which patients are tried, nor their order; with several images each and time for 16 of 21 patients."""
    monkeypatch.setattr(inversion, "AT_64_PIXELS", 1)
    monkeypatch.setattr(inversion, "FEWEST", 1)
    assert leaking.claim is not None
    loaded = run_networks(leaking, leaking.claim)
    one, other = patients(12, 1, images=2), patients(9, 2, first=12, images=3)
    orders, distances = [], []
    for members, non_members in ((one, other), (other, one)):
        evidence = dataclasses.replace(leaking, members=members, non_members=non_members)
        scores, real = patient_scores(evidence), Real.of(members, non_members)
        assert loaded.discriminator is not None
        steered = inversion_order(loaded.generator, real, scores, np.random.default_rng(0), silent)
        orders.append((discriminator_order(loaded.discriminator, real, scores, silent), steered.order))
        distances.append(steered.distances)
    for before, after in zip(*orders, strict=True):
        np.testing.assert_array_equal(before, after)
    assert distances[0] == distances[1]


def test_an_audit_repeated_says_the_same(leaking: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inversion, "STEPS", 3)
    found = [findings(run(leaking, seed)) for seed in (3, 3, 4)]
    assert found[0] == found[1]
    assert found[0]["inversion"]["distance"] != found[2]["inversion"]["distance"]


def test_the_saved_discriminator_is_the_trained_one(leaking: Evidence, networks: Networks) -> None:
    assert leaking.claim is not None
    loaded = run_networks(leaking, leaking.claim).discriminator
    assert loaded is not None
    labels = torch.from_numpy(TRAINED_ON.labels)
    with torch.no_grad():
        expected, found = (each(from_uint8(TRAINED_ON.images), labels) for each in (networks[1], loaded))
    torch.testing.assert_close(found, expected)


def test_what_the_generator_drew_is_found_again(networks: Networks) -> None:
    """Images with a latent are met more closely than images without, and the descent never ends above its start."""
    generator, labels = LoadedGenerator(network=networks[0], model=UNKNOWN), np.arange(16) % 2
    z = np.random.default_rng(5).standard_normal((16, generator.latent))
    drawn = [np.rint(generator.levels(*each)) for each in zip(z, labels.tolist(), strict=True)]
    own = with_channels(np.stack(drawn).astype(np.uint8))
    found = [invert(generator, images, labels, np.random.default_rng(6)) for images in (own, patients(16, 12).images)]
    assert np.median(found[0].end) < 0.5 * np.median(found[1].end)
    assert all((each.end <= each.start).all() for each in found)
    assert np.median(found[0].end) < 0.6 * np.median(found[0].start)


@pytest.fixture(scope="module")
def told() -> Generator:
    """Draws nothing but what records say: a pattern of its own for each of eight values."""
    config = GeneratorConfig(form=FORM, latent=2, width=8, order=5, align=False, bend=0.0, levels=(9,))
    mixture = Mixture.grey(config.mixture)
    assert mixture.effects is not None
    mixture.effects.normal_(0, 0.3 * SIZE, generator=torch.Generator().manual_seed(3))
    generator = Generator(config, torch.Generator().manual_seed(0))
    generator.warm_start(mixture)
    return generator.eval()


def test_the_generator_is_steered_with_each_patient_s_own_record(told: Generator) -> None:
    """It comes near whom it was told of; by the records of others it does not."""
    generator = LoadedGenerator(network=told, model=UNKNOWN)
    records = np.column_stack([np.arange(16) % 2, 1 + np.arange(16) % 8])
    drawn = [np.rint(generator.levels(np.zeros(generator.latent), record)) for record in records]
    images = with_channels(np.stack(drawn).astype(np.uint8))
    own, others = (
        invert(generator, images, asked, np.random.default_rng(6)).end for asked in (records, np.roll(records, 2, 0))
    )
    assert np.median(own) < 0.1
    assert np.median(others) > 0.5


def test_the_discriminator_hears_each_patient_s_own_record_in_whatever_order() -> None:
    network, sample = Discriminator(FORM, torch.Generator().manual_seed(0), levels=(9,)), patients(20, 14)
    codes = np.arange(20)[:, None] % 9
    real, order = Real.of(dataclasses.replace(sample, codes=codes)), np.random.default_rng(0).permutation(20)
    records = real.told(records=True)
    np.testing.assert_array_equal(records, np.column_stack([sample.labels, codes]))
    with torch.no_grad():
        direct = -network(from_uint8(sample.images), torch.from_numpy(records)).double().numpy()
    np.testing.assert_allclose(discriminator_scores(network, sample.images, records), direct, atol=1e-6)
    again = discriminator_scores(network, sample.images[order], records[order])
    np.testing.assert_array_equal(again, discriminator_scores(network, sample.images, records)[order])


def test_threads_change_nothing(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inversion, "STEPS", 3)
    generator, sample, ends = LoadedGenerator(network=networks[0], model=UNKNOWN), patients(70, 13), []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        ends.append(invert(generator, sample.images, sample.labels, np.random.default_rng(7)).end)
        assert torch.get_num_threads() == threads
    torch.set_num_threads(1)
    np.testing.assert_array_equal(*ends)


def _other_columns(run_folder: Path, evidence: Evidence) -> Evidence:
    """The set's own generator, which was told a column that the cohort does not declare."""
    pairs, schema = Pairs((2, 9)), Schema.of({"age": "number(0..80/8)"})
    table = Table(columns=schema.types, classes=2, members=100, noise=1.0, potentials=(0.0,) * pairs.cells)
    config = GeneratorConfig(form=FORM, latent=2, width=8, levels=(9,))
    model = save_generator(run_folder, Generator(config, torch.Generator().manual_seed(0)), records=table)
    assert evidence.claim is not None
    return dataclasses.replace(evidence, claim=dataclasses.replace(evidence.claim, **dataclasses.asdict(model)))


def _no_state(run_folder: Path, evidence: Evidence) -> Evidence:
    (run_folder / STATE).unlink()
    return evidence


def _strange_state(run_folder: Path, evidence: Evidence) -> Evidence:
    with (run_folder / STATE).open("ab") as stream:
        stream.write(b" ")
    return evidence


def _older_state(run_folder: Path, evidence: Evidence) -> Evidence:
    del run_folder
    assert evidence.ledger is not None
    later = {"kind": "checkpoint", "run_id": evidence.claim.run_id if evidence.claim else "", "sha256": "0" * 64}
    return dataclasses.replace(
        evidence, ledger=dataclasses.replace(evidence.ledger, entries=(*evidence.ledger.entries, later))
    )


def _damaged_model(run_folder: Path, evidence: Evidence) -> Evidence:
    (run_folder / WEIGHTS).write_bytes(b"no weights")
    return evidence


def _other_generator(run_folder: Path, evidence: Evidence) -> Evidence:
    assert evidence.claim is not None
    assert evidence.claim.generator_sha256 == sha256_file(run_folder / WEIGHTS)
    return dataclasses.replace(evidence, claim=dataclasses.replace(evidence.claim, generator_sha256="0" * 64))


def _other_run(run_folder: Path, evidence: Evidence) -> Evidence:
    del run_folder
    assert evidence.claim is not None
    return dataclasses.replace(evidence, claim=dataclasses.replace(evidence.claim, run_id="f" * 16))


def _no_non_members(run_folder: Path, evidence: Evidence) -> Evidence:
    del run_folder
    return dataclasses.replace(evidence, non_members=None)


def _no_run(run_folder: Path, evidence: Evidence) -> Evidence:
    del run_folder
    return dataclasses.replace(evidence, run=None)


def _no_claim(run_folder: Path, evidence: Evidence) -> Evidence:
    del run_folder
    return dataclasses.replace(evidence, claim=None)


def _more_classes(run_folder: Path, evidence: Evidence) -> Evidence:
    del run_folder
    members = evidence.members
    other = Sample(images=members.images, labels=members.labels + 1, patients=members.patients)
    return dataclasses.replace(evidence, members=other)


Change = Callable[[Path, Evidence], Evidence]
NOT_THE_SETS = "the run folder's generator is not the one that made the synthetic set"
NOT_NEWEST = "the run's resume state is not the newest that the ledger knows of this run"


@pytest.mark.parametrize(
    ("change", "kind", "reason"),
    [
        (_no_run, NotApplicable, white_box.NO_RUN),
        (_no_claim, NotApplicable, white_box.NO_CLAIM),
        (_no_non_members, NotRun, NO_NON_MEMBERS),
        (_damaged_model, NotRun, "the run's model cannot be read"),
        (_other_generator, NotRun, NOT_THE_SETS),
        (_other_run, NotRun, NOT_THE_SETS),
        (_more_classes, NotRun, NOT_THE_SETS),
        (_other_columns, NotRun, "the run's networks were told other columns of records than the cohort declares"),
        (_strange_state, NotRun, NOT_NEWEST),
        (_older_state, NotRun, NOT_NEWEST),
    ],
)
def test_networks_that_are_not_the_runs_are_not_asked(
    leaking: Evidence, tmp_path: Path, change: Change, kind: type[NotApplicable | NotRun], reason: str
) -> None:
    assert leaking.run is not None
    copied = shutil.copytree(leaking.run, tmp_path / "run")
    outcome = run(change(copied, dataclasses.replace(leaking, run=copied)))
    assert isinstance(outcome, kind)
    assert outcome.reason == reason


def test_without_a_state_the_generator_is_still_asked(
    leaking: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inversion, "STEPS", 3)
    assert leaking.run is not None
    copied = shutil.copytree(leaking.run, tmp_path / "run")
    found = findings(run(_no_state(copied, dataclasses.replace(leaking, run=copied))))
    assert found["discriminator"] == {"not_measured": white_box.NO_STATE}
    assert found["p"] == found["inversion"]["p"]
