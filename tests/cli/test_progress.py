"""Whoever waits is told for what: on stderr off a terminal, and in the log, which knows nothing of patients."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from privgan.errors import UsageError
from privgan.progress import Lines
from privgan_cli.line import following
from privgan_cli.line.everywhere import Everywhere, taken

Privgan = Callable[..., subprocess.CompletedProcess[str]]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def test_a_line_comes_once_a_minute() -> None:
    clock, said = Clock(), list[str]()
    lines = Lines(said.append, every_s=60.0, clock=clock)
    for second in range(200):
        clock.now = 100.0 + second
        lines("audit", second // 50, 4, "T3: near copies")
    assert said == [
        "audit 1 of 4 (25 %), T3: near copies, for 1 min 0 s",
        "audit 2 of 4 (50 %), T3: near copies, for 2 min 0 s",
        "audit 3 of 4 (75 %), T3: near copies, for 3 min 0 s",
    ]


def test_work_that_reports_nothing_is_told_by_the_clock() -> None:
    clock, said = Clock(), list[str]()
    lines = Lines(said.append, every_s=60.0, clock=clock)
    for clock.now in (102.0, 159.0, 160.0, 161.0, 220.0):
        lines.remind()
    assert said == ["loading libraries, for 1 min 0 s", "loading libraries, for 2 min 0 s"]


def test_tasks_inside_a_task_are_told_with_it_and_end_with_it() -> None:
    clock = Clock()
    lines = Lines(lambda _: None, clock=clock)
    lines("audit", 1, 4)
    clock.now += 30
    lines("copies", 10, 40)
    clock.now += 5
    assert lines.told() == "audit 1 of 4 (25 %), for 35 s; copies 10 of 40 (25 %), for 5 s"
    lines("audit", 2, 4)
    assert lines.told() == "audit 2 of 4 (50 %), for 35 s"
    lines("audit", 4, 4)
    assert lines.told() == "at work after audit, in all, for 35 s"


def test_a_command_off_a_terminal_says_what_it_does(
    privgan: Privgan, trained: tuple[Path, Path], tmp_path: Path
) -> None:
    words = ("generate", trained[1], tmp_path / "synthetic", "--count", 400, "--tell-every", 0.01)
    said = privgan(*words).stderr
    assert "privgan: sampling images" in said
    assert "%" in said
    assert privgan(*words, "--force", "--quiet").stderr == ""


def test_the_log_keeps_what_was_said_and_nothing_of_a_patient(
    privgan: Privgan, trained: tuple[Path, Path], tmp_path: Path
) -> None:
    log, (cohort, run) = tmp_path / "log.txt", trained
    log.write_text("before\n")
    privgan("generate", run, tmp_path / "Anna Muster", "--count", 400, "--log", log, "--tell-every", 0.01, "--quiet")
    privgan("budget", cohort, "--patient", "QZX-00007-PAT", f"--log={log}")
    privgan("budget", tmp_path / "Anna Muster", "--patient", "QZX-00007-PAT", "--log", log, code=2)
    first, *lines = log.read_text().splitlines()
    assert first == "before"
    said = [line.split(" ", 2)[2] for line in lines]
    assert "privgan generate begins" in said
    assert any(line.startswith("sampling images") for line in said)
    assert said.count("ends with exit code 0") == 2
    assert said[-1] == "ends with exit code 2"
    assert all(line[:4].isdigit() and line.split()[0].endswith("Z") for line in lines)
    assert "QZX-" not in log.read_text()


def test_a_log_that_cannot_be_written_is_refused(privgan: Privgan, tmp_path: Path) -> None:
    assert "--log" in privgan("doctor", "--log", tmp_path / "none" / "log.txt", code=2).stderr
    assert "--log" in privgan("doctor", "--log", code=2).stderr
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    privgan("doctor", "--log", tmp_path / "link", code=2)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", ""])
def test_a_time_between_lines_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="tell-every"):
        taken(["scan", "--tell-every", value], Everywhere())


def test_the_options_of_every_verb_stand_anywhere_but_behind_two_dashes() -> None:
    rest, told = taken(["--json", "scan", "-v", "x", "--log=a b", "--", "--quiet"], Everywhere(quiet=False))
    assert rest == ["scan", "x", "--", "--quiet"]
    assert (told.as_json, told.verbose, told.quiet, told.log) == (True, True, False, Path("a b"))


def test_every_verb_ends_with_the_next_command(privgan: Privgan, trained: tuple[Path, Path], tmp_path: Path) -> None:
    """A path with a blank is quoted; what follows can be run as it stands."""
    place = tmp_path / "a b"
    place.mkdir()
    said = privgan("generate", trained[1], place / "synthetic", "--count", 4)
    line = said.stdout.splitlines()[-1]
    assert line.startswith(f"next: privgan audit '{place / 'synthetic'}' --cohort ")
    assert " --policy POLICY.toml " in line
    told = json.loads(privgan("budget", trained[0], "--json").stdout)
    assert told["next"].startswith("privgan train ")


def test_a_scan_leads_to_a_cohort_that_knows_its_officer(privgan: Privgan, source: Path) -> None:
    """Otherwise whoever follows the lines releases alone."""
    line = privgan("scan", source).stdout.splitlines()[-1]
    assert line == f"next: privgan prepare {source} cohort --policy POLICY.toml"


@pytest.mark.parametrize(("overrides", "asked"), [([], False), (["accept-low-power"], True)])
def test_an_audit_leads_to_an_approval_that_is_complete(overrides: list[str], asked: bool) -> None:
    """What was switched off needs a reason: without it the line that was suggested would be refused."""
    line = following.after_audit(Path("r"), record={"verdict": "PASS", "overrides": overrides}, cohort=Path("c"))
    assert line.startswith("privgan approve r --cohort c ")
    assert line.endswith(" --reason REASON") == asked
    other = following.after_audit(Path("r"), record={"verdict": "FAIL", "overrides": overrides}, cohort=Path("c"))
    assert other == "privgan budget c"
