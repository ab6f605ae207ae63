"""Whether synthetic images show what their records say, and what that costs the images.

    python tests/benchmarks/records.py --case phantoms|xrays --epsilon 1,3,10 [--seeds 3] [--count 2700]
        [--config train.toml] [--steps 60] [--sheet FILE.png] [--data FOLDER]

Everything is learned as `privgan train` learns it: table, warm start, what records do, and so many steps of the
discriminator (none unless asked for); plan, draws and noise are the product's. A row for each epsilon and seed, and
one without records at the same epsilon; with steps another one, whose discriminator is not told records. Records of
phantoms are known by construction; of chest X-rays the columns are the kind of pneumonia and a quarter of the
brightness of all.

A reader is principal components of the images at 32 pixels, the squares of the first eight, and a shrunk linear
discriminant for every column. Trained on synthetic images it is tested on held-back patients (`auc`, one against the
rest, of ordered columns over all cuts; `kappa` of ordered ones, with quadratic weights), as it is when trained on
real ones (`ceiling`). Trained on real images it says what synthetic ones show: `asked` is its kappa (or AUC) with the
record that was asked for. Sequences are 150 invented patients through all stages, none left out: `monotone` those
whose expected stage never falls, `turning` the share of steps that fall, `rank` Spearman's correlation along them.
Precision, recall, density, coverage and kernel distance are of 64 principal components, beside held-back patients.
"""

import argparse
import json
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring.reading import Reader, alike, score
from scipy.stats import spearmanr
from torch import Tensor

from privgan.arrays import Images, Integers
from privgan.data.phantoms.phantom_images import Anatomy, draw_images
from privgan.data.phantoms.phantom_records import HEADER, PhantomRecords
from privgan.dp.sampling import PatientIndex
from privgan.gan.effects.odds import Odds
from privgan.gan.networks import Generator
from privgan.gan.randomness import Randomness
from privgan.gan.training.beginning import Training
from privgan.gan.training.members import Members
from privgan.gan.training.planning import make_plan
from privgan.gan.training.request import TrainRequest
from privgan.gan.training.settings import TrainSettings, read_settings
from privgan.gan.training.step import fit
from privgan.images.contact_sheet import contact_sheet
from privgan.images.containers import png_bytes
from privgan.images.form import ImageForm
from privgan.images.stored import with_channels
from privgan.interruption import StopRequest
from privgan.records.schema import CATEGORY, ORDINAL, Schema

DATA = Path("shared/data/images")
MEMBERS, HELD_BACK, SEQUENCES = 2_700, 1_500, 150
TYPES = {
    "sex": "category(F|M):patient",
    "age": "number(18..90):patient",
    "stage": "ordinal(I<II<III<IV)",
    "smoker": "category(no|yes):patient",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """images: uint8 (n, 64, 64); labels: int64 (n,); codes: int64 (n, columns); patients: int64 (n,)."""

    images: Images
    labels: Integers
    codes: Integers
    patients: Integers

    @property
    def told(self) -> Integers:
        """(n, 1 + columns): the class and the place of each value, -1 where it is not known."""
        return np.column_stack([self.labels, self.codes - 1])


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """learned: of the members. tested: of held-back patients. staged: the class that has stages."""

    classes: tuple[str, ...]
    schema: Schema
    learned: Part
    tested: Part
    staged: int


def phantoms(folder: Path) -> Case:
    """Invented patients; their images show sex, age and stage, and say nothing of smoking."""
    schema = Schema.of(TYPES)

    def part(count: int, seed: int) -> Part:
        rng = np.random.default_rng(seed)
        opaque = rng.random(count) < 0.5
        anatomy, records = Anatomy.draw(opaque, rng), PhantomRecords.draw(opaque, rng, planted=False)
        images = np.rint(draw_images(records.shape(anatomy), rng) * 255).astype(np.uint8)
        columns = dict(zip(HEADER, map(np.array, zip(*records.rows(), strict=True)), strict=True))
        codes = schema.codes({**columns, "age": columns["age"].astype(float)}, count)
        return Part(images=images, labels=opaque.astype(np.int64), codes=codes, patients=np.arange(count))

    return Case(
        classes=("clear", "opacity"), schema=schema, learned=part(MEMBERS, 1), tested=part(HELD_BACK, 2), staged=1
    )


def xrays(folder: Path) -> Case:
    """Chest X-rays of children; a fifth of the patients is held back."""
    with np.load(folder / "kermany_cxr_64.npz", allow_pickle=False) as archive:
        images, kinds, names = archive["images"], archive["labels"].astype(np.int64), archive["patient_id"]
    quarter = np.searchsorted([102.0, 118.0, 134.0], images.mean((1, 2)))  # public: declared, not computed
    schema = Schema.of({"kind": "category(bacteria|virus)", "light": "ordinal(I<II<III<IV)"})
    _, patients = np.unique(names, return_inverse=True)
    back = np.random.default_rng(0).random(patients.max() + 1)[patients] < 0.2
    parts = [
        Part(
            images=images[rows],
            labels=(kinds[rows] > 0).astype(np.int64),
            codes=np.column_stack([kinds[rows], 1 + quarter[rows]]),
            patients=patients[rows],
        )
        for rows in (~back, back)
    ]
    return Case(classes=("normal", "pneumonia"), schema=schema, learned=parts[0], tested=parts[1], staged=1)


CASES = {"phantoms": phantoms, "xrays": xrays}


@dataclass(frozen=True, kw_only=True, eq=False)
class Released:
    """What a run releases. odds: None without records."""

    generator: Generator
    odds: Odds | None

    def drawn(self, told: Tensor, z: Tensor) -> Images:
        """uint8 (n, 64, 64)."""
        with torch.no_grad():
            parts = [self.generator(*some) for some in zip(z.split(100), told.split(100), strict=True)]
        return ((torch.cat(parts)[:, 0].clamp(-1, 1) + 1) * 127.5).round().byte().numpy()


def released(case: Case, settings: TrainSettings, epsilon: float, seed: int, *, records: bool) -> Released:
    """Learn as a run does, under a seed."""
    settings = replace(settings, records=replace(settings.records, measure=records))
    part, schema = case.learned, case.schema if records else Schema()
    index, cpu = PatientIndex.of(part.patients, np.arange(len(part.images))), torch.device("cpu")
    plan = make_plan(index.count, TrainRequest(settings=settings, epsilon=epsilon, delta=None), schema)
    images = with_channels(part.images)
    members = Members(
        images=images,
        labels=part.labels,
        index=index,
        settings=settings,
        device=cpu,
        rng=np.random.default_rng(seed),
        codes=part.codes,
    )
    form = replace(ImageForm.of(images), classes=case.classes)
    with tempfile.TemporaryDirectory() as run:
        (Path(run) / "private").mkdir()
        training = Training(
            run=Path(run),
            run_id="",
            patients=members,
            config=settings.generator_config(form, None, schema),
            plan=plan,
            settings=settings,
            device=cpu,
            schema=schema,
        )
        state = fit(training, None, Randomness.of(seed), StopRequest())
    return Released(generator=state.average.eval(), odds=state.odds)


def measured(case: Case, real: Reader, made: Released, seed: int, count: int) -> dict[str, Any]:
    """One row's numbers."""
    chance = torch.Generator().manual_seed(seed)
    labels = torch.multinomial(
        torch.bincount(torch.from_numpy(case.learned.labels)).double(), count, True, generator=chance
    )
    told = labels if made.odds is None else made.odds.drawn(labels, chance)
    z = torch.randn(count, made.generator.config.latents, generator=chance)
    images = made.drawn(told, z)
    row: dict[str, Any] = alike(case.tested.images, images)
    asked = told.numpy().reshape(count, -1).copy()
    asked[:, 1:] -= 1
    taught, seen = Reader(images, asked, levels(case)[: asked.shape[1]]).says(case.tested.images), real.says(images)
    for number, (name, ordered) in enumerate(columns(case)[: asked.shape[1]]):
        grade = score(taught[number], case.tested.told[:, number], ordered=ordered)
        shown = score(seen[number], asked[:, number], ordered=ordered)
        row |= {f"{name}_{what}": value for what, value in grade.items()}
        row[f"{name}_asked"] = shown.get("kappa", shown["auc"])
    return row if made.odds is None else row | sequences(case, real, made, told, z)


def sequences(case: Case, real: Reader, made: Released, told: Tensor, z: Tensor) -> dict[str, float]:
    """Through all values of the ordinal column, whatever else an invented patient is."""
    place = 1 + [column.kind for column in case.schema.columns].index(ORDINAL)
    count = len(case.schema.columns[place - 1].values)
    rows = torch.nonzero(told[:, 0] == case.staged).flatten()[:SEQUENCES]
    seen = []
    for value in range(1, count + 1):
        patients = told[rows].clone()
        patients[:, place] = value
        seen.append(real.says(made.drawn(patients, z[rows]))[place] @ np.arange(count))
    paths = np.stack(seen, axis=1)
    return {
        "monotone": float((np.diff(paths, axis=1) >= 0).all(1).mean()),
        "turning": float((np.diff(paths, axis=1) < 0).mean()),
        "rank": float(np.mean([spearmanr(range(count), path)[0] for path in paths])),
    }


def columns(case: Case) -> list[tuple[str, bool]]:
    """Class and columns by name, and whether their values are in order."""
    return [("class", False), *((column.name, column.kind != CATEGORY) for column in case.schema.columns)]


def levels(case: Case) -> tuple[int, ...]:
    """Values of each that are known."""
    return (len(case.classes), *(count - 1 for count in case.schema.levels))


def sheet(path: Path, case: Case, made: Released) -> None:
    """Twelve invented patients through all stages, a row each."""
    assert made.odds is not None
    chance = torch.Generator().manual_seed(0)
    place = 1 + [column.kind for column in case.schema.columns].index(ORDINAL)
    count = len(case.schema.columns[place - 1].values)
    told = made.odds.drawn(torch.full((12,), case.staged), chance).repeat_interleave(count, 0)
    told[:, place] = 1 + torch.arange(len(told)) % count
    z = torch.randn(12, made.generator.config.latents, generator=chance).repeat_interleave(count, 0)
    drawn = made.drawn(told, z)
    path.write_bytes(png_bytes(contact_sheet(drawn, told[:, 0].numpy(), case.classes, count)))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=CASES, required=True)
    parser.add_argument("--epsilon", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--count", type=int, default=MEMBERS)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    settings = read_settings(asked.config)
    settings = replace(settings, privacy=replace(settings.privacy, steps=asked.steps))
    case = CASES[asked.case](asked.data)
    real = Reader(case.learned.images, case.learned.told, levels(case))
    tops = real.says(case.tested.images)
    ceiling = {
        name: score(top, case.tested.told[:, number], ordered=ordered)
        for number, ((name, ordered), top) in enumerate(zip(columns(case), tops, strict=True))
    }
    first = {"case": asked.case, "ceiling": ceiling, "real": alike(case.tested.images, case.learned.images)}
    print(json.dumps(first), flush=True)
    for epsilon in map(float, asked.epsilon.split(",")):
        for seed in range(asked.seeds):
            for records, judged in ((False, False), (True, True), *([(True, False)] if asked.steps else [])):
                started = time.process_time()
                telling = replace(settings, records=replace(settings.records, judged=judged))
                made = released(case, telling, epsilon, seed, records=records)
                row = measured(case, real, made, seed, asked.count)
                seconds = round(time.process_time() - started, 1)
                rounded = {name: round(value, 3) for name, value in row.items()}
                told = {"records": records, **({"judged": judged} if asked.steps else {})}
                named = {"epsilon": epsilon, "seed": seed, **told, "cpu_seconds": seconds}
                print(json.dumps(named | rounded), flush=True)
                if asked.sheet and records and not seed:
                    sheet(asked.sheet.with_stem(f"{asked.sheet.stem}-{epsilon:g}"), case, made)


if __name__ == "__main__":
    main()
