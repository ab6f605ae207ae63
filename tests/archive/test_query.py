"""What may be asked, and what a service's answers are worth."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from privgan.archive import query as asking
from privgan.archive.access import Access
from privgan.archive.destination import parse_service
from privgan.archive.query import Listing, Query, list_instances
from privgan.archive.stopping import UnfinishedError
from privgan.archive.web import WebArchive
from privgan.errors import UsageError
from tests.archive.stub import Asked, Said, answering

TAGS = {"studies": "0020000D", "series": "0020000E", "instances": "00080018"}


def entry(kind: str, uid: object) -> dict[str, object]:
    return {TAGS[kind]: {"vr": "UI", "Value": [uid]}}


def service(counts: dict[str, int], cap: int = 1000, *, knows_pages: bool = True):  # type: ignore[no-untyped-def]
    """A service with so many studies, series of each, instances of each; at most `cap` in a page."""

    def answer(request: Asked) -> Said:
        parts = urlsplit(request.path)
        kind = parts.path.rpartition("/")[2]
        wanted = {key: values[0] for key, values in parse_qs(parts.query).items()}
        parent = ".".join(part for part in parts.path.split("/") if part[:1].isdigit()) or "1"
        everything = [entry(kind, f"{parent}.{number}"[-64:]) for number in range(1, counts[kind] + 1)]
        start = int(wanted["offset"]) if knows_pages else 0
        page = everything[start : start + min(cap, int(wanted["limit"]))]
        return Said(body=json.dumps(page).encode()) if page else Said(status=204)

    return answer


def listed(answer, query: Query | None = None, limit: int | None = None) -> tuple[Listing, list[Asked]]:  # type: ignore[no-untyped-def]
    with answering(answer) as stub:
        archive = WebArchive(parse_service(stub.url), Access())
        return list_instances(archive, query or Query(), limit), stub.asked


@pytest.mark.parametrize("cap", [1, 8, 12, 1000])
def test_all_pages_are_asked_for_whatever_their_size(cap: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAGE", 20)
    found, asked = listed(service({"studies": 45, "series": 1, "instances": 1}, cap))
    assert (len(found.places), len(set(found.places)), found.nameless) == (45, 45, 0)
    assert len(asked) <= 45 * 4 + -(-45 // min(cap, 20)) + 1  # every list until a page brings nothing new


def test_series_and_instances_are_counted_below_their_studies() -> None:
    found, _ = listed(service({"studies": 2, "series": 3, "instances": 25}))
    assert len(found.places) == 2 * 3 * 25
    assert len(listed(service({"studies": 2, "series": 3, "instances": 25}), limit=31)[0].places) == 31
    assert listed(service({"studies": 0, "series": 3, "instances": 4}))[0].places == ()


def test_a_service_without_pages_ends() -> None:
    found, asked = listed(service({"studies": 30, "series": 1, "instances": 1}, knows_pages=False))
    assert len(found.places) == 30
    assert len(asked) == 30 * 4 + 2


def announcing(count: int, cap: int, headers: dict[str, str], *, knows_pages: bool):  # type: ignore[no-untyped-def]
    """A service of so many studies that says of each answer to the question for studies what the headers say."""
    inner = service({"studies": count, "series": 1, "instances": 1}, cap, knows_pages=knows_pages)

    def answer(request: Asked) -> Said:
        said = inner(request)
        return replace(said, headers=headers) if urlsplit(request.path).path == "/studies" else said

    return answer


@pytest.mark.parametrize(
    "headers",
    [
        {"Warning": '299 archive: "There are 150 additional results that can be requested"'},
        {"X-Total-Count": "250"},
        {"X-Total-Count": "~250"},
        {"X-Total-Count": "250+"},
    ],
)
@pytest.mark.parametrize("cap", [8, 100])
def test_an_archive_that_has_more_than_it_gives_ends_unfinished(headers: dict[str, str], cap: int) -> None:
    """It ignores the offset, and says itself that there is more."""
    with pytest.raises(UnfinishedError, match=f"{cap} entries of one list came") as caught:
        listed(announcing(250, cap, headers, knows_pages=False))
    assert "StudyDate" in str(caught.value)
    assert caught.value.exit_code == 75


@pytest.mark.parametrize(
    "headers", [{"X-Total-Count": "30"}, {"X-Total-Count": "many"}, {"Warning": "199 - tired"}, {}]
)
def test_an_archive_that_gives_what_it_has_is_done(headers: dict[str, str]) -> None:
    for knows_pages in (True, False):
        found, _ = listed(announcing(30, 8 if knows_pages else 30, headers, knows_pages=knows_pages))
        assert len(found.places) == 30


@pytest.mark.parametrize("uid", ["../../etc", "1.2/3", "", 7, None, "1" * 65, ["1.2"], {"a": 1}, "1.2\n"])
def test_an_entry_without_an_identifier_costs_itself(uid: object) -> None:
    def answer(request: Asked) -> Said:
        kind = urlsplit(request.path).path.rpartition("/")[2]
        entries = [entry(kind, "1.5"), *([entry(kind, uid), {}, 3] if kind == "instances" else [])]
        return Said(body=json.dumps(entries).encode())

    found, _ = listed(answer)
    assert (len(found.places), found.nameless) == (1, 3)


def test_a_study_that_was_removed_meanwhile_is_not_the_end() -> None:
    everything = service({"studies": 3, "series": 1, "instances": 1})
    found, _ = listed(lambda asked: Said(status=404) if asked.path.startswith("/studies/1.2/") else everything(asked))
    assert len(found.places) == 2


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"3", b"[" * 100_000, b"\xff", b"1" * 9999])
def test_what_is_no_list_is_no_service(body: bytes) -> None:
    with pytest.raises(UsageError, match="DICOMweb"):
        listed(lambda _: Said(body=body))


def test_keys_go_to_the_level_that_knows_them(tmp_path: Path) -> None:
    """Patients one by one; what is not asked for is not sent."""
    numbers = tmp_path / "patients"
    numbers.write_text(" 4711 \n\n0815\n4711\n")
    numbers.chmod(0o600)
    words = ["Modality=CR", "StudyDate=20200101-", "SeriesDescription=Thorax & more", "BodyPartExamined=CH*"]
    query = Query.of(words, numbers)
    _, asked = listed(service({"studies": 1, "series": 1, "instances": 1}), query)
    sent = [parse_qs(urlsplit(request.path).query) for request in asked]
    studies = [{"ModalitiesInStudy": ["CR"], "StudyDate": ["20200101-"], "PatientID": [n]} for n in ("4711", "0815")]
    series = {"Modality": ["CR"], "SeriesDescription": ["Thorax & more"], "BodyPartExamined": ["CH*"]}
    paging = {"limit": [str(asking.PAGE)], "offset": ["0"]}
    first = [query for query in sent if query["offset"] == ["0"]]
    assert first == [{**expected, **paging} for expected in (*studies, series, {})]
    assert "4711" not in repr(query)


@pytest.mark.parametrize(
    "words",
    [
        ["PatientID=4711"],
        ["PatientName=Jane"],
        ["AccessionNumber=4711"],
        ["Rows=4711"],
        ["4711"],
        ["StudyDate=4711"],
        ["StudyDate=-"],
        ["Modality="],
        ["Modality=CR", "Modality=4711"],
        ["StudyDescription=4711\\x"],
        ["StudyDescription=4711\n"],
        ["StudyDescription=" + "4711" * 20],
    ],
)
def test_anything_else_is_refused_and_not_repeated(words: list[str]) -> None:
    with pytest.raises(UsageError) as refusal:
        Query.of(words, None)
    assert "4711" not in str(refusal.value)
    assert "Jane" not in str(refusal.value)


@pytest.mark.parametrize("content", ["", "\n \n", "47*\n", "4?1\n", "a\\b\n", "4711" * 20, "\udcff"])
def test_a_file_of_patients_holds_numbers_only(tmp_path: Path, content: str) -> None:
    path = tmp_path / "patients"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    path.chmod(0o600)
    with pytest.raises(UsageError):
        Query.of([], path)
    path.write_text("4711\n")
    path.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        Query.of([], path)
