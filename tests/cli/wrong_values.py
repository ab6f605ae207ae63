"""Wrong values of every verb, and what is said about each: one table for the test and for the benchmark.

The lines are typed in a folder that holds `cohort`, `run` and `synthetic` as the verbs make them, folders `report`,
`bundle`, `federation` and `model`, which are known by one file each, a folder `pictures`, `images.npz`,
`train.toml` and `site.key`.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from itertools import groupby
from pathlib import Path
from typing import Any

HEAVY = (
    "torch",
    "scipy.optimize",
    "scipy.stats",
    "scipy.special",
    "matplotlib",
    "sklearn",
    "dp_accounting",
    "pydicom",
)
TRAIN, GENERATE, PREPARE = "train cohort new --epsilon 3", "generate run new --count 10", "prepare images.npz new"
AUDIT = "audit synthetic --cohort cohort --run run --report new"
PLAN, PRIOR = "plan --patients 1000 --batch 10 --steps 5", "prior images.npz new --source a --licence b"
TEACH = "teach bundle new --public-key site.pub"
RELEASE = "release synthetic --cohort cohort --run run --report report --to new --key site.key"
APPROVE = "approve report --key site.key --name A --until 2030-01-01 --purpose x --recipient y --yes"
INVITE = "invite new --like cohort --site a=site.pub --site b=site.pub --epsilon 3 --patients 900 --key site.key"
JOIN = "join federation cohort new --key site.key --invited-by site.pub"
ANSWER = "answer federation cohort run --key site.key --invited-by site.pub"
AGREE = "agree federation synthetic --key site.key --invited-by site.pub"
JOINT = "generate run new --federation federation --invited-by site.pub"

AUGMENT = "augment bundle cohort new --public-key site.pub"

WRONG = (
    ("train cohort new --epsilon -1", "epsilon > 0 and finite, got -1.0"),
    ("train cohort new --epsilon 0", "epsilon > 0"),
    ("train cohort new --epsilon nan", "epsilon > 0"),
    ("train cohort new --epsilon 1,5", "a number for --epsilon, got '1,5'. Write a decimal point: 1.5."),
    ("train cohort new --epsilon much", "a number for --epsilon, got 'much'."),
    ("train cohort new", "Expected --epsilon"),
    ("train cohort", "Expected RUN"),
    (f"{TRAIN} --delta 2", "delta strictly between 0 and 1, got 2"),
    (f"{TRAIN} --steps -5", "steps between 0"),
    (f"{TRAIN} --steps 1e3", "a whole number for --steps, got '1e3'. Write 1000."),
    (f"{TRAIN} --steps 10 --minutes 4", "--steps or --minutes"),
    (f"{TRAIN} --minutes -2", "minutes between"),
    (f"{TRAIN} --preset blanced", "Did you mean 'balanced'?"),
    (f"{TRAIN} --device gpu", "auto, cpu, cuda"),
    (f"{TRAIN} --config none.toml", "configuration file none.toml"),
    (f"{TRAIN} --config images.npz", "configuration file images.npz"),
    (f"{TRAIN} --config wrong.toml", "Did you mean 'batch'?"),
    (f"{TRAIN} --prior cohort", "cohort is a cohort"),
    (f"{TRAIN} --prior none", "none is missing"),
    (f"{TRAIN} --resume", "new is missing"),
    ("train cohort run --epsilon 3", "run exists"),
    ("train cohort none/new --epsilon 3", "none is missing"),
    ("train run cohort --epsilon 3", "swapped"),
    ("train pictures new --epsilon 3", "pictures is a folder that privgan did not make"),
    ("train none new --epsilon 3", "none is missing"),
    ("train images.npz new --epsilon 3", "images.npz is a file"),
    ("train synthetic new --epsilon 3", "synthetic is a synthetic set"),
    ("generate run new", "Expected --count"),
    ("generate run new --count 0", "count of at least 1"),
    ("generate run new --count 1,000", "Digits only"),
    (f"{GENERATE} --format jpeg", "dicom, npz, png"),
    (f"{GENERATE} --sop-class ct", "secondary-capture, match"),
    (f"{GENERATE} --bits 10", "8, 12 or 16"),
    (f"{GENERATE} --frames 0", "1 to 1024"),
    (f"{GENERATE} --classes none", "clear, opacity"),
    (f"{GENERATE} --classes measured", "--measure-classes"),
    ("generate run synthetic --count 10", "synthetic exists"),
    ("generate synthetic run --count 10", "swapped"),
    ("generate cohort new --count 10", "cohort is a cohort"),
    ("generate none new --count 10", "none is missing"),
    ("audit synthetic --report new", "either --cohort"),
    ("audit synthetic --cohort none --run run --report new", "none is missing"),
    ("audit none --cohort cohort --run run --report new", "none is missing"),
    ("audit synthetic --cohort cohort --run none --report new", "none is missing"),
    ("audit synthetic --cohort run --run cohort --report new", "swapped"),
    ("audit run --cohort cohort --run run --report new", "run is a run"),
    ("audit synthetic --cohort cohort --run run --report pictures", "pictures exists"),
    ("audit synthetic --cohort cohort --run run --report none/new", "none is missing"),
    (f"{AUDIT} --policy none.toml", "none.toml"),
    (f"{AUDIT} --policy train.toml", "Unknown key"),
    (f"{AUDIT} --policy defualt", "Did you mean 'default'?"),
    (f"{AUDIT} --encoder x.onnx", "--encoder-trained-on"),
    (f"{AUDIT} --encoder x.onnx --encoder-trained-on cats", "x.onnx is missing"),
    (f"{AUDIT} --colour", "--colour with --members"),
    ("audit synthetic --members none --non-members pictures --report new", "none is missing"),
    ("audit synthetic --members cohort --non-members pictures --report new", "cohort is a cohort"),
    ("scan none", "none is missing"),
    ("scan cohort", "cohort is a cohort"),
    ("scan run", "run is a run"),
    ("scan pictures --preset cxrr", "Did you mean 'cxr'?"),
    ("scan pictures --window 1", "2 numbers"),
    ("scan pictures --window 5,1", "low < high"),
    ("scan pictures --csv none.csv", "none.csv is missing"),
    ("scan pictures --csv pictures", "pictures is a folder"),
    ("scan pictures --columns sex:nubmer", "category, number"),
    ("scan pictures --csv-columns fil=path", "--csv-columns file=PATH"),
    ("scan pictures --csv-columns file=a,file=b", "each role and each column once"),
    ("scan pictures --every 0", "every at least 1"),
    ("scan pictures --frames last", "all, first, middle"),
    ("scan pictures --axis up", "axial, coronal"),
    ("scan pictures --workers 0", "workers between 1 and 64"),
    ("scan pictures --modality XYZ", "modality of DICOM"),
    ("scan pictures --preset ct-soft --modality MR", "--modality CT"),
    ("prepare none new", "none is missing"),
    ("prepare new images.npz", "swapped"),
    ("prepare images.npz none/new", "none is missing"),
    (f"{PREPARE} --size 20", "size between 28 and 256"),
    (f"{PREPARE} --size big", "a whole number for --size"),
    (f"{PREPARE} --non-members 33", "0 <= non_members < 1"),
    (f"{PREPARE} --non-members 0,333", "Write a decimal point: 0.333."),
    (f"{PREPARE} --exclude none", "withdrawn patients"),
    (f"{PREPARE} --merge none", "one line a person"),
    (f"{PREPARE} --join study", "Did you mean 'studies'?"),
    (f"{PREPARE} --accept-identity all", "placeholders"),
    (f"{PREPARE} --roi 1,2,3", "4 numbers"),
    (f"{PREPARE} --max-epsilon -4", "max_epsilon > 0"),
    (f"{PREPARE} --policy none.toml", "none.toml"),
    (f"{PREPARE} --site-anchor none/deep/anchor", "none/deep is missing"),
    (f"{PREPARE} --classes a,,b", "non-empty class names"),
    (f"{PREPARE} --resume", "none has left anything"),
    ("plan --patients 0 --batch 10 --steps 5 --epsilon 1", "patients > 0"),
    (PLAN, "either a noise multiplier or an epsilon"),
    (f"{PLAN} --epsilon 1 --noise-multiplier 2", "not both"),
    (f"{PLAN} --epsilon -1", "epsilon > 0 and finite, got -1.0"),
    (f"{PLAN} --epsilon 1 --delta 1", "delta strictly between"),
    (f"{PLAN} --epsilon 1 --preset huge", "small-cohort"),
    (f"{PLAN} --epsilon 1 --non-members 2", "0 <= non_members < 1"),
    (f"{PLAN} --epsilon 1 --class-count 0", "classes > 0"),
    (f"{PLAN} --epsilon 1 --minutes 0", "minutes > 0"),
    (f"{PLAN} --epsilon 1 --size 512", "size between 28 and 256, got 512"),
    (f"{PLAN} --epsilon 1 --policy none", "default, restricted-access"),
    ("prior none new --source a --licence b", "none is missing"),
    ("prior images.npz run --source a --licence b", "run exists"),
    ("prior images.npz new --source '' --licence b", "--source"),
    (f"{PRIOR} --steps 0", "steps > 0"),
    (f"{PRIOR} --size 3", "size between"),
    (f"{PRIOR} --device tpu", "auto, cpu, cuda"),
    (f"{PRIOR} --config none.toml", "none.toml"),
    (f"{PRIOR} --resume", "none has left anything"),
    ("enhance train new --task sharpen", "denoise, super-resolve, artefact"),
    ("enhance train none new --task denoise", "none is missing"),
    ("enhance train synthetic new --task denoise", "synthetic is a synthetic set"),
    ("enhance train run --task denoise --public images.npz --source a --licence b", "run exists"),
    ("enhance train new --task denoise --public images.npz --licence b", "--source"),
    ("enhance train new --task super-resolve --factor 3", "factor of 2 or 4, got 3"),
    ("enhance train new --task denoise --steps 0", "steps > 0"),
    ("enhance train new --task denoise --config train.toml", "Unknown key"),
    ("enhance apply none images.npz new", "none is missing"),
    ("enhance apply cohort images.npz new", "cohort is a cohort"),
    ("enhance evaluate run cohort new", "run is a run"),
    ("budget none", "none is missing"),
    ("budget run", "run is a run"),
    ("budget pictures", "did not make"),
    ("report none", "none is missing"),
    ("report cohort", "cohort is a cohort"),
    ("report report --cohort run", "run is a run"),
    ("keygen none/key", "none is missing"),
    ("keygen key --policy train.toml", "train.toml exists"),
    ("keygen key --policy none/policy.toml", "none is missing"),
    ("keygen key --preset none", "default, restricted-access"),
    (APPROVE.replace("approve report", "approve run"), "run is a run"),
    (f"{APPROVE} --cohort report", "report is a report"),
    (APPROVE.replace("site.key", "none.key"), "none.key is missing"),
    (APPROVE.replace("2030-01-01", "1.1.2030"), "YYYY-MM-DD"),
    ("desk run --key site.key", "run is a run"),
    ("desk report --key none.key", "none.key is missing"),
    ("desk report --key site.key --cohort run", "run is a run"),
    ("reject run --key site.key --cohort cohort --name A --reason b", "run is a run"),
    ("revoke bundle --key site.key --cohort cohort --reason b", "bundle is a bundle"),
    (RELEASE.replace("--run run", ""), "Expected --run"),
    (RELEASE.replace("site.key", "none.key"), "none.key is missing"),
    (RELEASE.replace("--cohort cohort --run run", "--cohort run --run cohort"), "swapped"),
    (RELEASE.replace("--report report", "--report none"), "none is missing"),
    (RELEASE.replace("release synthetic", "release pictures"), "audited but not released"),
    (RELEASE.replace("--to new", "--to run"), "run exists"),
    ("verify none --public-key site.pub", "none is missing"),
    ("verify synthetic --public-key site.pub", "synthetic is a synthetic set"),
    ("verify bundle --public-key none.pub", "none.pub is missing"),
    ("teach none new --public-key site.pub", "none is missing"),
    ("teach synthetic new --public-key site.pub", "synthetic is a synthetic set"),
    ("teach bundle run --public-key site.pub", "run exists"),
    ("teach bundle new --public-key none.pub", "none.pub is missing"),
    ("teach bundle new", "Expected --public-key"),
    ("teach new --public-key site.pub", "Expected BUNDLE"),
    (f"{TEACH} --steps 0", "steps between 1"),
    (f"{TEACH} --minutes -1", "minutes > 0"),
    (f"{TEACH} --seed -1", "seed between 0"),
    ("evaluate none cohort new", "none is missing"),
    ("evaluate cohort run new", "swapped"),
    ("evaluate cohort model new", "swapped"),
    ("evaluate report cohort new", "report is a report"),
    ("evaluate model cohort run", "run exists"),
    ("evaluate model cohort new --on members", "held-back, all"),
    (f"{AUGMENT} --repeats 1", "repeats between 2"),
    (f"{AUGMENT} --steps 5", "steps between 11"),
    (f"{AUGMENT} --patients 0", "patients between 1"),
    (f"{AUGMENT} --public-key none.pub", "none.pub is missing"),
    ("augment cohort bundle new --public-key site.pub", "the two seem to be swapped"),
    ("augment bundle cohort pictures --public-key site.pub", "pictures"),
    ("send none --public-key site.pub --to http://x", "none is missing"),
    ("send bundle --public-key site.pub --to nonsense", "TITLE@host:port"),
    ("fetch ftp://x new", "https://host/path"),
    ("fetch http://localhost:1 pictures", "pictures"),
    ("fetch http://localhost:1 new --query Modality", "Modality"),
    ("fetch http://localhost:1 new --limit 0", "--limit of at least 1"),
    ("fetch http://localhost:1 new --timeout -1", "--timeout"),
    (INVITE.replace("--like cohort", "--like run"), "run is a run"),
    (INVITE.replace("--key site.key", "--key none.key"), "none.key is missing"),
    (INVITE.replace("invite new", "invite run"), "run exists"),
    (f"{INVITE} --config wrong.toml", "Did you mean 'batch'?"),
    (JOIN.replace("federation", "cohort", 1), "cohort is a cohort"),
    (JOIN.replace("federation cohort", "cohort federation"), "swapped"),
    (JOIN.replace("--key site.key", "--key none.key"), "none.key is missing"),
    (JOIN.replace("new", "run"), "run exists"),
    (ANSWER.replace("run", "none"), "none is missing"),
    (ANSWER.replace("--invited-by site.pub", ""), "Expected --invited-by"),
    (f"{ANSWER} --wait -1", "wait between 0"),
    ("sites cohort --invited-by site.pub", "cohort is a cohort"),
    ("sites none --invited-by site.pub", "none is missing"),
    (AGREE, "Expected --cohort, --run and --report"),
    (AGREE.replace("federation", "cohort", 1), "cohort is a cohort"),
    (AGREE.replace("--key site.key", "--key none.key"), "none.key is missing"),
    ("generate run new", "Expected --count"),
    ("generate run new --federation federation", "--federation and --invited-by together"),
    (JOINT.replace("federation federation", "federation none"), "none is missing"),
    (f"{JOINT} --count 10", "--count and --key to propose"),
    (f"{JOINT} --key site.key", "--count and --key to propose"),
    (f"{RELEASE} --federation federation", "--federation and --invited-by together"),
    (f"{RELEASE} --invited-by site.pub", "--federation and --invited-by together"),
    ("demo run", "run holds something else"),
    ("demo new --hospitals 2", "Expected 1 hospital or 3"),
    ("doctor --attack", "--attack-mechanism"),
    ("relase", "Did you mean 'release'"),
)
"""What is typed, and a part of what is said; all of it is refused with exit code 2."""


MARKED = {
    "report": "audit.json",
    "bundle": "attestation.dsse.json",
    "federation": "invitation.dsse.json",
    "model": "classifier.json",
    "pictures": "1.png",
}


def furnish(home: Path, cohort: Path, run: Path, synthetic: Path, source: Path) -> None:
    """Make the folder in which the lines are typed."""
    for name, target in {"cohort": cohort, "run": run, "synthetic": synthetic, "images.npz": source}.items():
        (home / name).symlink_to(target)
    for name, marker in MARKED.items():
        (home / name).mkdir()
        (home / name / marker).write_text("{}")
    for name in ("site.key", "site.pub"):
        (home / name).touch()
    (home / "train.toml").write_text("schema = 1\n[privacy]\nbatch = 20\n")
    (home / "wrong.toml").write_text("schema = 1\n[privacy]\nbatsh = 20\n")


def refusals(home: Path, lines: Sequence[str], environment: dict[str, str]) -> list[dict[str, Any]]:
    """Each line's exit `code`, what it `said`, and which HEAVY libraries are `loaded` by then.

    Also what it said `in_chinese`, and whether its answer for programs was the `same` there.
    """
    words = [sys.executable, "-c", "from tests.cli.wrong_values import serve; serve()"]
    done = subprocess.run(
        words, input=json.dumps(lines), cwd=home, env=environment, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def serve() -> None:
    """Run the lines on standard input, those of a verb in one fork of a process that loaded the command line alone.

    What one of them has loaded, those after it would show as well.
    """
    from privgan_cli.main import run

    for _, lines in groupby(json.loads(sys.stdin.read()), key=_verb):
        sys.stdout.flush()
        if child := os.fork():
            os.waitpid(child, 0)
            continue
        for line in lines:
            print(json.dumps(_answer(run, line)), flush=True)
        os._exit(0)


def _verb(line: str) -> str:
    return line.split(maxsplit=1)[0]


def _answer(run: Callable[[Sequence[str]], int], line: str) -> dict[str, Any]:
    code, said, answer = _told(run, line)
    loaded = [name for name in HEAVY if name in sys.modules]
    _, in_chinese, other = _told(run, f"{line} --language zh")
    return {"code": code, "said": said, "loaded": loaded, "in_chinese": in_chinese, "same": answer == other}


def _told(run: Callable[[Sequence[str]], int], line: str) -> tuple[int, str, str]:
    """Exit code, what people are told, and what programs are."""
    said, answer = StringIO(), StringIO()
    with redirect_stderr(said), redirect_stdout(answer):
        code = run([*shlex.split(line), "--json"])
    return code, said.getvalue(), answer.getvalue()
