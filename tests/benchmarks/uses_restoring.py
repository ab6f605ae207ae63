"""How much better a restorer from synthetic images makes real ones, beside what is cheaper and what saw patients.

    python tests/benchmarks/uses_restoring.py --synthetic SET/images.npz --task denoise [--dataset xray] [--json]
        [--steps 2000] [--batch 16] [--artefact stripes] [--factor 2] [--no-plain] [--no-ceiling] [--limit N]
        [--pictures FILE.png]

`privgan_uses.restoring` learns from the pictures of a set that `quality.py --keep` made, and is measured on the
data set's test part, whose patients are in neither. The ceiling is the same learning from the training part, whose
patients are those of the set; the plain network learned from the same synthetic pictures in as many steps.
Intervals are of 95 %, over patients.

--json: {"schema_version": 1, "dataset", "synthetic" (pictures), "steps", "batch", "seconds" (of a processor), and all
of evaluate.json that does not name a cohort}.
"""

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from quality_steps.datasets import NAMES, SHARED, load

from privgan.arrays import Images
from privgan.images.contact_sheet import contact_sheet
from privgan.images.containers import png_bytes
from privgan.images.form import ImageForm
from privgan.images.stored import as_stored, with_channels
from privgan_audits.questions.utility.drawing import drawn, subset
from privgan_uses.restoring.evaluating.evaluate import EACH, Evaluated, Question, Sides, compare
from privgan_uses.restoring.make import Material, make_restorer
from privgan_uses.restoring.model import open_restorer
from privgan_uses.restoring.request import USUAL, RestoreRequest

SHOWN = 10  # pictures a row


def measured(asked: argparse.Namespace, folder: Path) -> Evaluated:
    """Learn and compare."""
    dataset = load(asked.dataset, asked.data)
    if asked.limit is not None:
        dataset = dataset.limited(asked.limit)
    with np.load(asked.synthetic, allow_pickle=False) as archive:
        images = with_channels(archive["images"])
    form = ImageForm(side=dataset.size, classes=dataset.classes)
    learning = replace(USUAL, steps=asked.steps, batch=asked.batch)
    request = RestoreRequest(
        task=asked.task, artefact=asked.artefact, factor=asked.factor, damage=asked.damage, learning=learning
    )
    spared = np.arange(len(images)) % 50 == 0
    make_restorer(Material(images=images, spared=spared, form=form), folder, request)
    rng = np.random.default_rng(0)
    held_back = subset(dataset.test, drawn(dataset.test, rng, patients=len(dataset.test.images), each=EACH))
    sides = Sides(members=dataset.train, held_back=held_back, classes=dataset.classes)
    question = Question(images=None if asked.no_plain else images[~spared], ceiling=not asked.no_ceiling)
    return compare(open_restorer(folder), sides, question)


def sheet(found: Evaluated) -> Images:
    """The first good pictures, and what each made of them."""
    arms = {"good": found.good, **found.arms}
    shown = np.concatenate([images[:SHOWN] for images in arms.values()])
    labels = np.repeat(np.arange(len(arms)), len(shown) // len(arms))
    return contact_sheet(as_stored(shown), labels, tuple(arms))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=NAMES, default="xray")
    parser.add_argument("--synthetic", type=Path, required=True, help="images.npz of a set")
    parser.add_argument("--task", required=True)
    parser.add_argument("--artefact", default="stripes")
    parser.add_argument("--factor", type=int, default=2)
    parser.add_argument("--damage", type=json.loads, default={}, help="values of the damage, as JSON")
    parser.add_argument("--steps", type=int, default=USUAL.steps)
    parser.add_argument("--batch", type=int, default=USUAL.batch)
    parser.add_argument("--no-plain", action="store_true", help="leave the plain network out")
    parser.add_argument("--no-ceiling", action="store_true", help="leave out what real pictures teach")
    parser.add_argument("--limit", type=int, help="real pictures on each side, to try the benchmark out")
    parser.add_argument("--pictures", type=Path, help="a PNG of what each made of the first pictures")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of the public .npz files")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as place:
        found = measured(asked, Path(place))
    told = {"dataset": asked.dataset, "steps": asked.steps, "batch": asked.batch}
    content = told | found.content | {"seconds": round(time.process_time() - began)}
    if asked.pictures:
        asked.pictures.write_bytes(png_bytes(sheet(found)))
    if asked.json:
        print(json.dumps(content, allow_nan=False))
        return
    for name, arm in content["arms"].items():
        print(
            name, *(f"{key} {each['value']:.3f} [{each['low']:.3f}, {each['high']:.3f}]" for key, each in arm.items())
        )
    print(json.dumps({"differences": content["differences"], "findings": content["findings"]}, indent=1))


if __name__ == "__main__":
    main()
