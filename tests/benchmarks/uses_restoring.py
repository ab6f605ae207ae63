"""How much better a restorer from released and public images makes real ones, beside what is cheaper or saw patients.

    python tests/benchmarks/uses_restoring.py --synthetic SET/images.npz --task denoise [--dataset xray] [--json]
        [--public FILE.npz] [--steps 2000] [--batch 16] [--seeds 1] [--artefact stripes] [--factor 2]
        [--window LOW,HIGH] [--plain] [--arms set,both] [--no-findings] [--limit N] [--pictures FILE.png]

`privgan_uses.restoring` learns from the pictures of a set that `quality.py --keep` made, from public ones (`own`: the
data set's own public part), or from both together, a row each, and is measured on the data set's test part, whose
patients are in none of these. `members` is the same learning from the training part, whose patients are those of the
set: the ceiling. Everything learns in as many steps. Intervals are of 95 %, over patients; of several --seeds the
mean over trainings is measured, and findings and pictures are of the first.

--json: {"schema_version": 1, "dataset", "task", "damage", "synthetic" and "public" (pictures), "steps", "batch",
"patients", "images", "arms" (name: psnr and ssim with intervals), "trainings" (name: PSNR of each, dB),
"beside_members" (name: arm minus members, paired), "findings" (see `findings.examined`), "seconds" (of a processor)}.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from quality_steps.datasets import NAMES, SHARED, Dataset, load

from privgan.arrays import Images
from privgan.images.contact_sheet import contact_sheet
from privgan.images.containers import png_bytes
from privgan.images.form import ImageForm
from privgan.images.stored import as_stored, with_channels
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.utility.drawing import drawn, subset
from privgan_audits.questions.utility.examination import Examination
from privgan_uses.restoring.damage import damaged
from privgan_uses.restoring.evaluating.evaluate import EACH, likeness
from privgan_uses.restoring.evaluating.findings import examined
from privgan_uses.restoring.evaluating.rivals import classical, plain_network, restored_plainly
from privgan_uses.restoring.lesson import learn
from privgan_uses.restoring.make import damage_of
from privgan_uses.restoring.measures import psnr
from privgan_uses.restoring.model import restored
from privgan_uses.restoring.request import USUAL, RestoreRequest

OWN, MEMBERS = "own", "members"
ARMS = ("set", "public", "both", MEMBERS)
SHOWN = 10  # pictures a row


@dataclass(frozen=True, kw_only=True, eq=False)
class Given:
    """What is learned from, by the name of the arm, and whom it is measured on."""

    lessons: dict[str, Images]
    members: Sample
    held_back: Sample
    classes: tuple[str, ...]
    form: ImageForm


def given(asked: argparse.Namespace) -> Given:
    """Read everything."""
    dataset = load(asked.dataset, asked.data)
    if asked.limit is not None:
        dataset = dataset.limited(asked.limit)
    synthetic = None if asked.synthetic is None else _read(asked.synthetic)
    public = _public(asked.public, dataset)
    both = None if synthetic is None or public is None else np.concatenate([synthetic, public])
    lessons = {"set": synthetic, "public": public, "both": both}
    lessons[MEMBERS] = dataset.train.images
    chosen = drawn(dataset.test, np.random.default_rng(0), patients=len(dataset.test.images), each=EACH)
    return Given(
        lessons={name: images for name, images in lessons.items() if images is not None and name in asked.arms},
        members=dataset.train,
        held_back=subset(dataset.test, chosen),
        classes=dataset.classes,
        form=ImageForm(side=dataset.size, classes=dataset.classes, window=asked.window),
    )


def _public(named: str | None, dataset: Dataset) -> Images | None:
    if named is None or named == OWN:
        return dataset.public if named else None
    return _read(Path(named))


def _read(path: Path) -> Images:
    with np.load(path, allow_pickle=False) as archive:
        return with_channels(archive["images"])


def versions(asked: argparse.Namespace, here: Given) -> Iterator[tuple[str, list[Images]]]:
    """Each arm with what it makes of the held-back pictures, once for each training."""
    request = RestoreRequest(task=asked.task, artefact=asked.artefact, factor=asked.factor, damage=asked.damage)
    damage = damage_of(request, here.form)
    bad = damaged(here.held_back.images, damage, here.form, torch.Generator().manual_seed(0))
    yield "damaged", [bad]
    yield "classical", [classical(bad, damage, here.form)]
    requests = [
        replace(request, learning=replace(USUAL, steps=asked.steps, batch=asked.batch, seed=seed))
        for seed in range(asked.seeds)
    ]
    if asked.plain:
        plain = [plain_network(here.lessons["set"], damage, here.form, each, "plain") for each in requests]
        yield "plain", [restored_plainly(network, bad) for network in plain]
    for name, images in here.lessons.items():
        learned = [learn(images, damage, here.form, each, name)[0] for each in requests]
        yield name, [restored(network, bad, damage) for network in learned]


def content(asked: argparse.Namespace, here: Given, arms: dict[str, list[Images]]) -> dict[str, Any]:
    """What is told of it."""
    good, rng = here.held_back.images, np.random.default_rng(0)
    exam = Examination.of(here.held_back.labels, here.held_back.patients, 1, rng)
    curves = {name: likeness(exam, good, each) for name, each in arms.items()}
    top = curves.get(MEMBERS)
    firsts = {name: each[0] for name, each in arms.items()}
    counted = {name: len(images) for name, images in here.lessons.items()}
    return {
        "schema_version": 1,
        "dataset": asked.dataset,
        "task": asked.task,
        "damage": asked.damage | {"artefact": asked.artefact, "factor": asked.factor},
        "synthetic": counted.get("set", 0),
        "public": counted.get("public", 0),
        "steps": asked.steps,
        "batch": asked.batch,
        "patients": here.held_back.patient_count,
        "images": len(good),
        "arms": {name: {key: curve.to_json() for key, curve in each.items()} for name, each in curves.items()},
        "trainings": {name: [float(psnr(good, each).mean()) for each in made] for name, made in arms.items()},
        "beside_members": {}
        if top is None
        else {
            name: {key: each[key].minus(top[key]).to_json() for key in each}
            for name, each in curves.items()
            if name != MEMBERS
        },
        "findings": None if asked.no_findings else examined(here.members, here.held_back, firsts, here.classes, rng),
    }


def sheet(good: Images, arms: dict[str, list[Images]]) -> Images:
    """The first good pictures, and what each made of them."""
    rows = {"good": good, **{name: each[0] for name, each in arms.items()}}
    shown = np.concatenate([images[:SHOWN] for images in rows.values()])
    labels = np.repeat(np.arange(len(rows)), len(shown) // len(rows))
    return contact_sheet(as_stored(shown), labels, tuple(rows))


def _pair(text: str) -> tuple[float, float]:
    low, high = map(float, text.split(","))
    return low, high


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=NAMES, default="xray")
    parser.add_argument("--synthetic", type=Path, help="images.npz of a set")
    parser.add_argument("--public", help="an .npz of public images, or own: the data set's public part")
    parser.add_argument("--task", required=True)
    parser.add_argument("--artefact", default="stripes")
    parser.add_argument("--factor", type=int, default=2)
    parser.add_argument("--damage", type=json.loads, default={}, help="values of the damage, as JSON")
    parser.add_argument("--window", type=_pair, help="of CT, in Hounsfield units: what black and white are")
    parser.add_argument("--steps", type=int, default=USUAL.steps)
    parser.add_argument("--batch", type=int, default=USUAL.batch)
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each")
    parser.add_argument("--plain", action="store_true", help="a plain network from the set, too")
    parser.add_argument("--arms", type=lambda text: text.split(","), default=ARMS, help="some of " + ",".join(ARMS))
    parser.add_argument("--no-findings", action="store_true", help="leave the examining network out")
    parser.add_argument("--limit", type=int, help="real pictures on each side, to try the benchmark out")
    parser.add_argument("--pictures", type=Path, help="a PNG of what each made of the first pictures")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of the public .npz files")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    began, here = time.process_time(), given(asked)
    arms = dict(versions(asked, here))
    found = content(asked, here, arms)
    found["seconds"] = round(time.process_time() - began)
    if asked.pictures:
        asked.pictures.write_bytes(png_bytes(sheet(here.held_back.images, arms)))
    if asked.json:
        print(json.dumps(found, allow_nan=False))
        return
    for name, arm in found["arms"].items():
        told = (f"{key} {each['value']:.3f} [{each['low']:.3f}, {each['high']:.3f}]" for key, each in arm.items())
        print(name, *told, "trainings", *(f"{value:.2f}" for value in found["trainings"][name]))
    print(json.dumps({"beside_members": found["beside_members"], "findings": found["findings"]}, indent=1))


if __name__ == "__main__":
    main()
