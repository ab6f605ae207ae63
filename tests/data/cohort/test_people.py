"""Who is one person by pictures and by a merge map, and who leaves with whom."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privgan.data.cohort.cohort import open_cohort
from privgan.data.cohort.collect import Collected
from privgan.data.cohort.people import decide_people, merge
from privgan.data.cohort.persons import Persons, read_merged
from privgan.data.cohort.prepare import prepare
from privgan.data.cohort.sides import member_position, side_of
from privgan.data.identifiers import IdentifierDigests
from privgan.errors import UsageError
from tests.data.telling import told

NUMBERS = [f"{number}{issuer}" for number in "1234" for issuer in ("", "^^^A", "^^^B")]


def collected(keys: list[str]) -> Collected:
    """One image of each number."""
    found = Collected(digests=IdentifierDigests(bytes(32)), keys=keys)
    for number in range(len(keys)):
        found.persons.add()
        found.patients.append(number)
    found.left_aside = np.zeros(len(keys), dtype=np.bool_)
    return found


def twin(read: list[str], lines: list[frozenset[str]]) -> set[frozenset[str]]:
    """The slow way: groups of numbers grow until no line and no bare number joins two of them."""
    named = frozenset[str]().union(*lines)
    groups = [{number} for number in {*read, *named}]
    links = [set(line) for line in lines]
    links += [{bare, other} for bare in named if "^" not in bare for other in {*read, *named} if is_like(bare, other)]
    for _ in range(len(links) + 1):
        for link in links:
            touched = [group for group in groups if group & link]
            groups = [group for group in groups if not group & link] + [set().union(*touched)]
    return {frozenset(group) for group in groups}


def is_like(bare: str, other: str) -> bool:
    return other.partition("^^^")[0] == bare


@given(
    st.lists(st.sampled_from(NUMBERS), unique=True, min_size=1),
    st.lists(st.frozensets(st.sampled_from(NUMBERS), min_size=1, max_size=4), max_size=4),
)
@settings(deadline=None, derandomize=True, max_examples=150)
def test_merging_equals_its_slow_twin(read: list[str], lines: list[frozenset[str]]) -> None:
    persons = Persons()
    for _ in read:
        persons.add()
    numbers = merge(read, persons, lines)
    assert list(numbers[: len(read)]) == read
    groups: dict[int, set[str]] = {}
    for place, number in enumerate(numbers):
        groups.setdefault(persons.find(place), set()).add(number)
    assert {frozenset(group) for group in groups.values()} == twin(read, lines)
    people = decide_people(collected(read), frozenset(), lines)
    there = [group for group in twin(read, lines) if group & set(read)]
    assert len(people.keys) == len(there)
    assert people.merged == len(read) - len(there)
    for key, spellings in zip(people.keys, people.spellings, strict=True):
        (group,) = (group for group in there if key in group)
        assert key == min(group & set(read))
        told_so = {*group, *(number.partition("^^^")[0] for number in group)}
        assert spellings == told_so | {number.casefold() for number in told_so}


def test_chains_join_also_over_a_number_that_nobody_has() -> None:
    people = decide_people(
        collected(["a", "b", "c", "d"]), frozenset(), [frozenset("ax"), frozenset("xc"), frozenset("yz")]
    )
    assert people.persons.tolist() == [0, 1, 0, 2]
    assert people.spellings[0] == {"a", "c", "x"}
    assert (people.merged, people.strangers) == (1, 3)


@pytest.mark.parametrize("line", ["42,ab", "0042,AB", "0042,a b", "42^^^H,AB", "00042^^^h,AB"])
def test_numbers_of_the_map_that_nearly_match_are_counted(line: str) -> None:
    read = ["042", "a B", "7", "042^^^H"]
    people = decide_people(collected(read), frozenset(), [frozenset(line.split(",")), frozenset(["9", "7"])])
    assert (people.strangers, people.near_strangers) == (3, 2)


def test_a_number_without_issuer_means_every_issuer_and_one_with_it_only_that() -> None:
    read = ["5^^^A", "5^^^B", "6", "5"]
    for line, persons in (("5,6", [0, 0, 0, 0]), ("5^^^B,6", [0, 1, 1, 2]), ("5^^^C,6", [0, 1, 2, 3])):
        people = decide_people(collected(read), frozenset(), [frozenset(line.split(","))])
        assert people.persons.tolist() == persons, line


@pytest.mark.parametrize("named", ["a", "b", "x"])
def test_whoever_withdraws_under_one_number_withdraws_under_all(named: str) -> None:
    """Also under a number of which no image was read."""
    lines = [frozenset("abx")]
    people = decide_people(collected(["a", "b", "c"]), frozenset({named, "ghost"}), lines)
    assert people.kept.tolist() == [False, False, True]
    assert (people.withdrawn, people.unmatched) == (2, 1)
    assert people.along == (2 if named == "x" else 1)
    assert people.keys == ("c",)


def test_a_withdrawn_number_of_a_person_of_whom_nothing_was_read_matches_nobody() -> None:
    people = decide_people(collected(["a", "b"]), frozenset({"y", "a"}), [frozenset("yz")])
    assert (people.withdrawn, people.along, people.unmatched, people.strangers) == (1, 0, 1, 2)


@pytest.mark.parametrize(("key", "near"), [("7", True), ("00007 ", True), ("8", False), ("7.5", False)])
def test_a_withdrawn_key_that_a_spreadsheet_shortened_is_told_as_such(key: str, near: bool) -> None:
    """Whoever accepted keys that match nobody must still read that one of them may be somebody's."""
    people = decide_people(collected(["0007", "0009"]), frozenset({key}), [])
    assert (people.withdrawn, people.unmatched, people.near_misses) == (0, 1, int(near))
    assert people.kept.all()
    (note,) = people.notes(numbered=False)
    assert note.startswith("1 keys of withdrawn patients match nobody who was read")
    assert ("1 would but for case, blanks or leading zeros" in note) == near


def test_one_person_by_the_map_is_on_one_side_and_found_under_every_number(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    numbers = [f"NUM-{n:03d}" for n in range(40)]
    images = rng.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", images=images, patient_id=np.array(numbers))
    lines = [f" {numbers[n]} ,{numbers[39 - n]}" for n in range(10)]
    (tmp_path / "merge.csv").write_text(
        "\ufeff" + "\n".join([*lines, f'"{numbers[0]}",OTHER-1,', "", "OTHER-2"]), "utf-8"
    )
    folder, met = tmp_path / "cohort", list[frozenset[str]]()
    folder.mkdir()
    options = told(merge=tmp_path / "merge.csv")
    prepare(tmp_path / "images.npz", folder, options, meet=met.extend)
    cohort = open_cohort(folder)
    assert (cohort.facts.patients, cohort.facts.merged_patients) == (30, 10)
    for n in range(10):
        assert cohort.patients[n] == cohort.patients[39 - n]
        assert side_of(folder, numbers[n]) == side_of(folder, numbers[39 - n]) is not None
    assert side_of(folder, "OTHER-1") == side_of(folder, numbers[0])
    assert side_of(folder, "OTHER-2") is None
    assert ("OTHER-1" in frozenset[str]().union(*met)) == (side_of(folder, "OTHER-1") == "member")
    key = (folder / "private" / "hmac.key").read_bytes()
    assert cohort.split[0] == (member_position(key, min(numbers[0], numbers[39])) >= 1 - 0.333)
    assert [note for note in cohort.facts.notes if "merge" in note] == [
        "2 numbers of the merge file match nobody who was read."
    ]
    assert b"NUM-" not in b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("content", [b"\xff\xfe1,2", b'"1,2', None])
def test_a_merge_file_that_cannot_be_read_is_refused_without_an_echo(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "merge.csv").write_bytes(content)
    with pytest.raises(UsageError, match="one line a person") as caught:
        read_merged(tmp_path / "merge.csv")
    assert "1,2" not in str(caught.value)
