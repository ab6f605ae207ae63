"""What several hospitals gain by adding up noised sums: joint training by files, beside one pool and each alone.

    python tests/benchmarks/hospitals.py --sites 3 [--arms pooled,files,masked,alone] [--epsilon 3] [--seeds 1]
        [--skew class] [--prior PRIOR] [--count 4000] [--epochs 10] [--threads 1] [--json]

The chest X-rays of `quality.py`, split by patient into so many hospitals: at random; with --skew class, four patients
of five are sorted by theirs, so that the first hospital has most of the normal ones; with --skew size, at random, and
hospitals differ in how large their images were before they were brought to one size: as they are at the first, half
as many pixels a side at the last, evenly between at others. Every arm is the warm start alone at delta 1e-5, drawn
from and examined as there. `pooled` is one hospital that holds all patients, with the images that the hospitals have,
which is what nobody may do; `alone` is the first hospital, `last alone` the last, `2 alone` the second, and so on.
`files` and `masked`, the two transports, go through `invite`, `join` and `answer` in this process, all sites in turn.
--prior: everybody starts from that folder of `privgan prior`.

--json: {"schema_version": 1, "rows": [...]}: arm, sites, skew, seed, epsilon (each site's), as_noisy_as (of totals),
members (who were learned from), questions, bytes (that a site sent), cpu_seconds (of one site's part, or of the
training), accuracy, auc, and precision, recall, density, coverage, kernel_distance, spectrum_distance.
"""

import argparse
import json
import math
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from quality import read_synthetic
from quality_steps.datasets import Dataset, load, write_source
from quality_steps.examiner import Pictures, examine
from quality_steps.likeness import NUMBERS, likeness
from torch.nn.functional import interpolate

from privgan.data.cohort.cohort import Cohort, open_cohort
from privgan.data.cohort.options import PrepareOptions
from privgan.data.sources.wishes import Wishes
from privgan.federation.exchange import Exchange
from privgan.federation.invitation import Site
from privgan.federation.inviting import Asked, invitation_for, invite
from privgan.federation.joining import join
from privgan.federation.together import answer
from privgan.gan.networks.public_prior import open_prior
from privgan.images.pixels import planes
from privgan.images.stored import as_stored
from privgan.seals import key_line
from privgan.synthetic.generate import GenerateOptions, generate
from privgan.synthetic.seed import Seed
from privgan_audits.enrol import enrol
from privgan_audits.evidence.interface import Sample
from privgan_audits.policy import Policy
from privgan_audits.questions.utility.drawing import subset
from privgan_audits.terms import Terms
from privgan_cli.asked import TrainOptions
from privgan_cli.surface import train

DELTA, CAP, SKEWED, COARSEST = 1e-5, 4.0, 0.8, 0.5


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What every arm spends, of each hospital, and what it starts from."""

    epsilon: float
    prior: Path | None


@dataclass(frozen=True, kw_only=True)
class Learned:
    """A finished run, whose members it has, and what it cost one site."""

    run: Path
    members: int
    facts: dict[str, Any]


def split(dataset: Dataset, sites: int, seed: int, skew: str) -> list[Dataset]:
    """The learning patients in so many parts; nobody is in two."""
    people, first = np.unique(dataset.train.patients, return_index=True)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(people))
    if skew == "class":  # the more normal a hospital's patients, the earlier; the rest at random
        mixed = rng.random(len(people)) >= SKEWED
        keys = np.where(mixed, rng.random(len(people)), dataset.train.labels[first] + rng.random(len(people)))
        order = np.argsort(keys / np.where(mixed, 1, 2))
    parts = np.array_split(people[order], sites)
    shares = np.linspace(1.0, COARSEST, sites) if skew == "size" else np.ones(sites)
    return [
        replace(
            dataset,
            train=coarser(subset(dataset.train, np.flatnonzero(np.isin(dataset.train.patients, part))), share),
        )
        for part, share in zip(parts, shares, strict=True)
    ]


def coarser(sample: Sample, share: float) -> Sample:
    """As of a machine with so much of the pixels a side, enlarged again."""
    side = sample.images.shape[1]
    if round(share * side) == side:
        return sample
    images = planes(sample.images).float()
    small = interpolate(images, size=round(share * side), mode="bilinear", antialias=True)
    enlarged = interpolate(small, size=side, mode="bilinear").round().clamp(0, 255)
    return replace(sample, images=enlarged.to(torch.uint8).movedim(1, -1).numpy())


def of_all(parts: list[Dataset]) -> Dataset:
    """One hospital that has what all of them have."""
    samples = [part.train for part in parts]
    return replace(
        parts[0],
        train=Sample(
            images=np.concatenate([each.images for each in samples]),
            labels=np.concatenate([each.labels for each in samples]),
            patients=np.concatenate([each.patients for each in samples]),
        ),
    )


def prepared(part: Dataset, folder: Path, epsilon: float) -> Cohort:
    """A cohort of all of them, nobody held back."""
    folder.mkdir(parents=True)
    write_source(part, folder / "source.npz")
    reading = Wishes(size=part.size, preset="picture", classes=part.classes)
    options = PrepareOptions(reading=reading, non_members=0.0)
    terms = Terms(policy=Policy(), accept_low_power=True, max_epsilon=CAP * epsilon)
    enrol(folder / "source.npz", folder / "cohort", options, terms)
    return open_cohort(folder / "cohort")


def alone(part: Dataset, folder: Path, wanted: Wanted) -> Learned:
    """One hospital by itself."""
    epsilon, prior = wanted.epsilon, wanted.prior
    cohort, started = prepared(part, folder, epsilon), time.process_time()
    options = TrainOptions(epsilon=epsilon, delta=DELTA, steps=0, prior=prior, accept_delta=True, accept_noise=True)
    train(cohort.folder, folder / "run", options)
    facts = {"cpu_seconds": round(time.process_time() - started, 1)}
    return Learned(run=folder / "run", members=cohort.facts.members, facts=facts)


def together(parts: list[Dataset], folder: Path, wanted: Wanted, transport: str) -> Learned:
    """All of them, by one transport."""
    folder.mkdir()
    epsilon, prior = wanted.epsilon, None if wanted.prior is None else open_prior(wanted.prior)
    keys = [Ed25519PrivateKey.generate() for _ in parts]
    cohorts = [prepared(part, folder / str(number), epsilon) for number, part in enumerate(parts)]
    sites = tuple(Site(name=f"site-{number}", key=key_line(key.public_key())) for number, key in enumerate(keys))
    members = sum(cohort.facts.members for cohort in cohorts)
    asked = Asked(
        sites=sites,
        epsilon=epsilon,
        delta=DELTA,
        patients=100 * math.ceil(members / 100),
        transport=transport,
        prior=prior,
    )
    invitation, _ = invitation_for(asked, cohorts[0].facts.form)
    federation = invite(folder / "federation", invitation, keys[0], force=False)
    exchange, inviter = Exchange(folder=folder / "federation"), keys[0].public_key()
    runs = [folder / f"run-{number}" for number in range(len(parts))]
    for cohort, run, key in zip(cohorts, runs, keys, strict=True):
        join(exchange, cohort, run, key, federation, prior=prior)
    started, states = time.process_time(), [""]
    while states[0] != "finished":
        given = zip(cohorts, runs, keys, strict=True)
        states = [answer(exchange, cohort, run, (key, inviter)).facts.state for cohort, run, key in given]
    sent = sum(path.stat().st_size for path in (folder / "federation" / "answers").glob("*-site-0.*"))
    facts = {
        "cpu_seconds": round((time.process_time() - started) / len(parts), 1),
        "as_noisy_as": invitation.as_noisy_as,
        "questions": len(invitation.noise),
        "bytes": sent,
    }
    return Learned(run=runs[0], members=members, facts=facts)


def examined(dataset: Dataset, learned: Learned, asked: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Drawn from, and looked at as in `quality.py`."""
    made = learned.run.with_name("synthetic")
    made.mkdir()
    generate(learned.run, made, GenerateOptions(count=asked.count, formats=("npz",)), Seed.fresh())
    synthetic = read_synthetic(made / "images.npz")
    lesson, test = (Pictures(images=as_stored(each.images), labels=each.labels) for each in (synthetic, dataset.test))
    grade = examine(lesson, test, len(dataset.classes), seed=seed, epochs=asked.epochs, task="examination")
    like = likeness(dataset, synthetic, made).get("synthetic", {})
    return {"accuracy": grade.accuracy, "auc": grade.auc, **{name: like.get(name) for name in NUMBERS}}


def rows_of(dataset: Dataset, asked: argparse.Namespace, place: Path) -> list[dict[str, Any]]:
    """A row for each arm and seed."""
    rows, wanted = [], Wanted(epsilon=asked.epsilon, prior=asked.prior)
    for seed in range(asked.first, asked.first + asked.seeds):
        parts = split(dataset, asked.sites, seed, asked.skew)
        arms = {
            "pooled": lambda folder, parts=parts: alone(of_all(parts), folder, wanted),
            "files": lambda folder, parts=parts: together(parts, folder, wanted, "files"),
            "masked": lambda folder, parts=parts: together(parts, folder, wanted, "masked"),
            "alone": lambda folder, parts=parts: alone(parts[0], folder, wanted),
            "last alone": lambda folder, parts=parts: alone(parts[-1], folder, wanted),
        }
        for number, part in enumerate(parts, start=1):
            arms[f"{number} alone"] = lambda folder, part=part: alone(part, folder, wanted)
        for arm in asked.arms.split(","):
            folder = place / f"{arm}-{seed}"
            folder.mkdir()
            learned = arms[arm](folder / "made")
            row = {
                "arm": arm,
                "sites": asked.sites,
                "skew": asked.skew,
                "prior": asked.prior is not None,
                "seed": seed,
                "epsilon": asked.epsilon,
            }
            rows.append(
                {**row, "members": learned.members, **learned.facts, **examined(dataset, learned, asked, seed)}
            )
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=3)
    parser.add_argument(
        "--arms", default="pooled,files,alone", help="of pooled, files, masked, alone, last alone, 2 alone"
    )
    parser.add_argument("--epsilon", type=float, default=3.0)
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each arm")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--skew", choices=("none", "class", "size"), default="none", help="how hospitals differ")
    parser.add_argument("--prior", type=Path, help="what everybody starts from")
    parser.add_argument("--count", type=int, default=4000, help="synthetic pictures")
    parser.add_argument("--epochs", type=int, default=10, help="of the examining network")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    with tempfile.TemporaryDirectory() as place:
        rows = rows_of(load("xray"), asked, Path(place))
    if asked.json:
        print(json.dumps({"schema_version": 1, "rows": rows}))
        return
    for row in rows:
        print(
            "  ".join(
                f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
                for name, value in row.items()
            )
        )


if __name__ == "__main__":
    main()
