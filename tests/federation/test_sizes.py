"""Of how many patients a hospital is: which letters tell it, and that what is released is the same of any size."""

import base64
import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from scipy.stats import kstest
from torch import Tensor

from privgan import seals
from privgan.dp.accounting import default_delta
from privgan.dp.budget.ledger import Ledger
from privgan.errors import IntegrityError
from privgan.federation.letters import Answer
from privgan.federation.vectors import unpacked
from privgan.files import sha256_file
from privgan.folders import list_files
from privgan.run import ModelDigests
from tests.audits.releasing import QUERIES, Gate, Record
from tests.federation.hospitals import NAMES, World, make_cohorts, make_world
from tests.federation.joint import FEDERATION, NORTH, SOUTH, Together

LARGE = {"members": 1333, "non_members": 667, "member_images": 2000, "non_member_images": 1000}
SMALL = {"members": 61, "non_members": 31, "member_images": 97, "non_member_images": 47}
_MAY_DIFFER = re.compile(r"[0-9a-f]{16,}")  # digests, of records with other salts and numbers


def opened_anew(gate: Gate, members: int) -> None:
    """A ledger with the delta of that many members."""
    cohort = gate.root / "cohort"
    path = cohort / "private" / "ledger.jsonl"
    path.unlink()
    Ledger.create(
        path,
        cohort_sha256=sha256_file(cohort / "cohort.json"),
        members=2,  # as the cohort itself says
        delta=default_delta(members),
        max_epsilon=10.0,
    )
    gate.ledger.charge(FEDERATION.run_id, QUERIES, delta=1e-5)
    gate.ledger.record_answer(FEDERATION.run_id, question=1, sha256="0" * 64)
    gate.ledger.close(FEDERATION.run_id, **asdict(ModelDigests.of(gate.root / "synthetic-run")))


def released_by(together: Together, counts: dict[str, int]) -> dict[str, str]:
    """Two hospitals of that size audit, approve and agree, and one of them releases: every file, as it is read."""
    shutil.rmtree(together.bundle, ignore_errors=True)
    for name in (NORTH, SOUTH):
        opened_anew(together.gate(name), counts["members"])
        together.audit(name, lambda record: record["counts"].update(counts))
        together.agree(name)
    together.release()
    together.verify()
    told = {}
    for root in (together.exchange.folder, together.bundle):
        for path in list_files(root):
            content = path.read_bytes()
            if path.name.endswith(".dsse.json"):
                content = json.dumps(seals.unverified(content), sort_keys=True).encode()
            told[f"{root.name}/{path.relative_to(root)}"] = _MAY_DIFFER.sub("HEX", content.decode("latin-1"))
    return told


def test_words_approvals_and_bundle_are_the_same_of_a_small_hospital_and_of_a_large(together: Together) -> None:
    """To the letter, and so in their lengths; of the one that releases, too."""
    (together.exchange.folder / "invitation.dsse.json").unlink()  # no envelope in this world
    large, small = (released_by(together, counts) for counts in (LARGE, SMALL))
    assert small == large
    assert len([name for name in small if name.endswith(".dsse.json")]) > 2 * 2 * len(NAMES)
    assert not re.search("cohort_(delta|total)", "".join(small.values()))


def test_a_word_with_the_delta_of_a_cohort_is_refused(together: Together) -> None:
    """As earlier versions wrote it: it would leave with the set."""

    def change(told: Record) -> None:
        told["predicate"]["privacy"]["cohort_delta"] = 1e-3

    together.put(SOUTH, together.sign(SOUTH, change))
    shutil.rmtree(together.bundle)
    with pytest.raises(IntegrityError, match=f"The word of site {SOUTH}: .*odd"):
        together.release()


@pytest.fixture(scope="module")
def unequal(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A hospital of more than three times as many patients as the two others have."""
    return make_cohorts(tmp_path_factory.mktemp("unequal"), (60, 60, 220))


def first_numbers(world: World, name: str, dtype: str) -> Tensor:
    answer = Answer.read(world.letter(1, name).read_bytes(), world.federation, world.hospitals[name].site, 1)
    classes = len(world.federation.invitation.form.classes)
    count = len(base64.b64decode(answer.numbers)) // 8
    return unpacked(answer.numbers, (classes, count // classes), dtype)


def answered(made: dict[str, Path], home: Path, transport: str) -> World:
    world = make_world(made, home, transport=transport)
    world.join()
    world.round()
    return world


def test_an_answer_by_files_tells_about_how_many_patients_it_speaks_of(
    unequal: dict[str, Path], tmp_path: Path
) -> None:
    """What the pages say: patients are counted, with all of the site's noise and no more exactly than that."""
    world = answered(unequal, tmp_path / "files", "files")
    asked = world.federation.invitation
    share = asked.settings.warm_start.count_share
    error = len(asked.form.classes) ** 0.5 * asked.noise[0] / share
    for name in NAMES:
        told = float(first_numbers(world, name, "f8")[:, 0].sum()) / share
        members = world.hospitals[name].cohort.facts.members
        assert 1e-9 * error < abs(told - members) < 6 * error


def test_a_masked_answer_tells_no_size(unequal: dict[str, Path], tmp_path: Path) -> None:
    """As uniform and, beside the name, as long of a large hospital as of a small one."""
    world = answered(unequal, tmp_path / "masked", "masked")
    lengths = set()
    for name in NAMES:
        assert kstest(first_numbers(world, name, "i8").numpy().ravel() / 2.0**64 + 0.5, "uniform").pvalue > 1e-4
        statement = seals.unverified(world.letter(1, name).read_bytes())
        lengths.add(len(json.dumps(statement)) - len(name))
    assert len(lengths) == 1
