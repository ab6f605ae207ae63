"""What several processes bring, and how a training grows with its patients.

    python tests/benchmarks/scaling.py [--json] [--quick] [--side 64] [--searched 3000]
    python tests/benchmarks/scaling.py --verbs [--json] [--side 256] [--patients 60,240] [--keep FOLDER]

Invented patients with two noise images each; networks and batch are those of the preset `balanced`.
Images a second of a step (of the discriminator, with its share of generator steps), of the warm start, of drawing a
set and of the audit's search for copies among pixels and in two lenses, by ranks and threads of each; then seconds a
patient with one rank and more and more patients. Beside seconds of the clock
stand processor seconds of the busiest rank, which other programs on the machine do not change as much: their ratio to
those of one rank is what an idle machine could reach. --searched: so many real images and as many others.
--verbs: what each verb costs instead, of phantoms of that size (`measuring.verbs`).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from audit import pictures
from measuring import held_mib
from measuring.verbs import Walk

from privgan.arrays import Floats, Images
from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.dp.plan import Plan
from privgan.dp.sampling import PatientIndex
from privgan.gan.networks import load_generator, save_generator
from privgan.gan.randomness import Randomness
from privgan.gan.ranks.ranks import ALONE, Ranks
from privgan.gan.ranks.rows import in_shares
from privgan.gan.ranks.together import connected
from privgan.gan.training.beginning import Training, fresh_state
from privgan.gan.training.members import Members
from privgan.gan.training.settings import TrainSettings
from privgan.gan.training.step import step
from privgan.gan.warm_start.measure import measure_mixture
from privgan.images.form import ImageForm
from privgan.images.stored import with_channels
from privgan.memory import keep_freed_memory, processors
from privgan.run import make_run_folders
from privgan.synthetic.seed import Seed
from privgan_audits.spaces.lenses.lenses import LENSES
from privgan_audits.spaces.lenses.space import LensSpace
from privgan_audits.spaces.pixel_space import PixelSpace

SIDE, LARGE, EACH = 64, 256, 2  # pixels a side, of the tables and of the verbs; images a patient
RANKS = ((1, 1), (2, 1), (3, 1), (4, 1), (1, 2))  # ranks, threads of each
PATIENTS = (1_000, 4_000, 16_000, 64_000)
STEPS, OF_RANKS = 12, 2_000
DRAWN, SEARCHED = 256, 3_000  # images that are drawn; real and as many synthetic images that are compared
KINDS = ("step", "warm", "draw", "search")
NUMBERS = ("ranks", "threads", "patients", "steps", "side", "alone", "searched")  # of a case, as its ranks are told


@dataclass(frozen=True, kw_only=True)
class Case:
    """One measurement. steps: of the discriminator, after two to warm up. side: pixels. alone: only training.

    searched: real images, and as many others, that are compared.
    """

    ranks: int
    threads: int
    patients: int
    steps: int
    side: int = SIDE
    alone: int = 0
    searched: int = SEARCHED

    def measured(self) -> dict[str, float]:
        """Seconds of the slowest rank, and what the largest held."""
        with tempfile.TemporaryDirectory() as folder:
            words = [sys.executable, __file__, "--rank"]
            numbers = [str(getattr(self, name)) for name in NUMBERS]
            # As the command sets them.
            own = {**os.environ, "OMP_NUM_THREADS": str(self.threads), "GOMP_SPINCOUNT": "20000"}
            started = [
                subprocess.Popen([*words, str(rank), folder, *numbers], stdout=subprocess.PIPE, text=True, env=own)
                for rank in range(self.ranks)
            ]
            said = [json.loads(process.communicate()[0]) for process in started]
        return {name: max(each[name] for each in said) for name in said[0]}


def measure(rank: int, folder: Path, case: Case) -> dict[str, float]:
    """What one rank takes."""
    torch.set_num_threads(case.threads)
    keep_freed_memory()
    if case.ranks == 1:
        return _measured(ALONE, folder, case)
    cpu = torch.device("cpu")
    with connected(folder / "store", rank=rank, size=case.ranks, device=cpu, patience_s=600.0) as ranks:
        return _measured(ranks, folder, case)


def _measured(ranks: Ranks, folder: Path, case: Case) -> dict[str, float]:
    training = training_of(ranks, folder / f"run-{ranks.rank}", case, torch.device("cpu"))
    randomness = Randomness.of(0)
    noise = tuple(1.0 for _ in training.settings.warm_start.noise_ratios)
    shape, start = training.config.mixture, training.settings.warm_start
    ranks.highest(0)
    began, worked = time.perf_counter(), time.process_time()
    mixture = measure_mixture(training.patients, start, noise, shape, randomness)
    warm, warm_cpu = time.perf_counter() - began, time.process_time() - worked
    state = fresh_state(training, mixture, randomness.public)
    critic = PatientGradients(state.discriminator)
    for number in range(case.steps + 2):
        if number == 2:
            began, worked = time.perf_counter(), time.process_time()
        step(training, state, critic, randomness)
    steps, steps_cpu = time.perf_counter() - began, time.process_time() - worked
    found = {
        "warm_s": warm,
        "warm_cpu_s": warm_cpu,
        "step_s": steps / case.steps,
        "step_cpu_s": steps_cpu / case.steps,
        "peak_mib": held_mib(),
    }
    if case.alone:
        return found
    save_generator(training.run, state.average)
    images = pictures(np.random.default_rng(2), 2 * case.searched)[..., None]
    drawn, searched = partial(_drawn, training), partial(_searched, images, case.searched, ranks)
    for name, work in (("draw", drawn), ("search", searched)):
        ranks.highest(0)
        began, worked = time.perf_counter(), time.process_time()
        work()
        found |= {f"{name}_s": time.perf_counter() - began, f"{name}_cpu_s": time.process_time() - worked}
    return found


def _drawn(training: Training) -> None:
    """Levels of a set's images, as `generate` draws them."""
    generator, seed = load_generator(training.run), Seed(value=bytes(32))

    def made(rows: range) -> list[Floats]:
        blocks = [
            np.stack([seed.normal("image", row, generator.latent) for row in rows[at : at + 16]])
            for at in range(0, len(rows), 16)
        ]
        return [np.concatenate([generator.levels_together(z, np.zeros(len(z), np.int64)) for z in blocks])]

    in_shares(DRAWN, training.ranks, made)


def _searched(images: Images, count: int, ranks: Ranks) -> None:
    """The first images beside the others, each of another patient."""
    real, others = images[:count], images[count:]
    owner = np.arange(len(real))
    spaces = [PixelSpace.of(real, ranks), *(LensSpace.of(lens, real, owner, ranks=ranks) for lens in LENSES[:2])]
    for space in spaces:
        space.among_real(owner)
        space.closest(others)


def training_of(ranks: Ranks, run: Path, case: Case, device: torch.device, width: int = 1) -> Training:
    """A training of invented patients that can begin. width: times the preset's."""
    make_run_folders(run)
    settings, rng = TrainSettings(), np.random.default_rng(0)
    model = settings.model
    wider = {name: width * getattr(model, name) for name in ("generator_width", "discriminator_width")}
    settings = replace(settings, model=replace(model, **wider))
    owners = np.repeat(np.arange(case.patients), EACH)
    images = rng.integers(0, 256, (len(owners), case.side, case.side), dtype=np.uint8)
    members = Members(
        images=with_channels(images),
        labels=owners % 2,
        index=PatientIndex.of(owners, np.arange(len(owners))),
        settings=settings,
        device=device,
        rng=Randomness.of(1).secret,
        ranks=ranks,
    )
    batch, fakes = settings.privacy.batch, settings.refinement.fakes
    return Training(
        run=run,
        run_id="scaling",
        patients=members,
        config=settings.generator_config(ImageForm(side=case.side, classes=("a", "b"))),
        plan=Plan(members=case.patients, batch=batch, steps=1, delta=1e-6, noise_multiplier=1.0, fakes=fakes),
        settings=settings,
        device=device,
        ranks=ranks,
    )


def row(case: Case, alone: dict[str, float] | None) -> dict[str, Any]:
    """One line of a table; ratios to one rank where there is one to compare with."""
    found, settings = case.measured(), TrainSettings()
    of_a_step = EACH * settings.privacy.batch + settings.refinement.fakes
    line: dict[str, Any] = {
        "ranks": case.ranks,
        "threads": case.threads,
        "patients": case.patients,
        "step_images_per_s": round(of_a_step / found["step_s"], 1),
        "warm_start_images_per_s": round(EACH * case.patients / found["warm_s"], 1),
        "step_ms": round(1e3 * found["step_s"], 1),
        "warm_start_ms_per_patient": round(1e3 * found["warm_s"] / case.patients, 3),
        "warm_start_cpu_ms_per_patient": round(1e3 * found["warm_cpu_s"] / case.patients, 3),
        "step_cpu_ms": round(1e3 * found["step_cpu_s"], 1),
        "peak_mib_per_rank": round(found["peak_mib"]),
    }
    if not case.alone:
        line |= {
            "drawn_images_per_s": round(DRAWN / found["draw_s"], 1),
            "searched_images_per_s": round(case.searched / found["search_s"], 1),
            "draw_cpu_ms_per_image": round(1e3 * found["draw_cpu_s"] / DRAWN, 2),
            "search_cpu_ms_per_image": round(1e3 * found["search_cpu_s"] / case.searched, 2),
        }
    if alone is not None:
        line |= {f"{name}_ratio": round(alone[f"{name}_s"] / found[f"{name}_s"], 2) for name in KINDS}
        line |= {f"{name}_cpu_ratio": round(alone[f"{name}_cpu_s"] / found[f"{name}_cpu_s"], 2) for name in KINDS}
    return line


def table(cases: Sequence[Case], *, compared: bool) -> list[dict[str, Any]]:
    """All lines, each also on stderr when it is there. compared: to the first."""
    alone, lines = cases[0].measured() if compared else None, list[dict[str, Any]]()
    for case in cases:
        lines.append(row(case, alone))
        print("  ".join(f"{name} {value}" for name, value in lines[-1].items()), file=sys.stderr, flush=True)
    return lines


def _print_verbs(asked: argparse.Namespace) -> None:
    """Each line when it is there."""
    lines = list[dict[str, Any]]()
    with nullcontext(asked.keep) if asked.keep else tempfile.TemporaryDirectory() as place:
        for patients in map(int, asked.patients.split(",")):
            walk = Walk(side=asked.side or LARGE, patients=patients)
            for line in walk.rows(Path(place) / f"{patients}-patients"):
                lines.append(line)
                print("  ".join(f"{name} {value}" for name, value in line.items()), file=sys.stderr, flush=True)
    if asked.json:
        print(json.dumps({"schema_version": 1, "rows": lines}))


def main() -> None:
    """Print the tables, or one JSON object."""
    if "--rank" in sys.argv:
        rank, folder, *numbers = sys.argv[sys.argv.index("--rank") + 1 :]
        case = Case(**dict(zip(NUMBERS, map(int, numbers), strict=True)))
        print(json.dumps(measure(int(rank), Path(folder), case)))
        return
    words = argparse.ArgumentParser()
    for flag in ("--json", "--quick", "--verbs"):
        words.add_argument(flag, action="store_true")
    words.add_argument("--side", type=int, help="pixels of an image")
    words.add_argument("--patients", default="60,240", help="of --verbs")
    words.add_argument("--searched", type=int, default=SEARCHED)
    words.add_argument("--keep", type=Path, help="a folder for what the verbs make")
    asked = words.parse_args()
    if asked.verbs:
        _print_verbs(asked)
        return
    side = asked.side or SIDE
    usual = Case(ranks=1, threads=1, patients=OF_RANKS, steps=STEPS, side=side, searched=asked.searched)
    ranks, patients = (
        [replace(usual, ranks=r, threads=t) for r, t in RANKS],
        [replace(usual, patients=p, alone=1) for p in PATIENTS],
    )
    if asked.quick:
        ranks, patients = (
            [replace(case, steps=4, patients=300) for case in ranks[:2]],
            [replace(usual, steps=2, patients=300, alone=1)],
        )
    load = os.getloadavg()[0]
    lines = {"rows": table(ranks, compared=True), "growth": table(patients, compared=False)}
    if asked.json:
        about = {
            "schema_version": 1,
            "torch": torch.__version__,
            "cores": processors(),
            "load": [load, os.getloadavg()[0]],
        }
        print(json.dumps({**about, **lines}))


if __name__ == "__main__":
    main()
