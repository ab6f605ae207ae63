"""Which command comes after each verb, ready to paste; what only a person can say stands in capitals.

A folder that was not named is taken to be the only one of its kind beside one that was. Whoever runs the command
checks that they belong together.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from privgan.kinds import COHORT, RUN, SET, Kind, kind_of

if TYPE_CHECKING:
    from privgan_audits.release.release import Case

_EPSILON = "3"  # where nobody has said one: the most that the recommended policy calls a moderate promise
_IMAGES_A_MEMBER = 2
_PERMISSION = ("--name", "NAME", "--until", "YYYY-MM-DD", "--purpose", "PURPOSE", "--recipient", "RECIPIENT")


def command(*words: object) -> str:
    """A line for a shell."""
    return shlex.join(["privgan", *map(str, words)])


def after_scan(typed: Sequence[str]) -> str:
    """The same words for `prepare`, with a cohort to make that pins the officer's key."""
    return command("prepare", *typed[1:], unused(Path("cohort")), "--policy", "POLICY.toml")


def after_prepare(cohort: Path) -> str:
    """Train on it."""
    return command("train", cohort, unused(cohort.with_name("run")), "--epsilon", _EPSILON)


def after_plan(epsilon: float, steps: int) -> str:
    """The training that was planned."""
    return command("train", "COHORT", "RUN", "--epsilon", f"{epsilon:.3g}", "--steps", steps)


def after_prior(prior: Path) -> str:
    """Start a training from it."""
    return command("train", "COHORT", "RUN", "--epsilon", _EPSILON, "--prior", prior)


def after_enhance(model: Path) -> str:
    """Restore with it."""
    return command("enhance", "apply", model, "IMAGES", unused(model.with_name("restored")))


def after_train(run: Path, members: int) -> str:
    """Draw from it."""
    return command("generate", run, unused(run.with_name("synthetic")), "--count", _IMAGES_A_MEMBER * members)


def after_invite(federation: Path, prior: Path | None) -> str:
    """Every site says yes."""
    folders, start = (federation, "COHORT", "RUN"), () if prior is None else ("--prior", prior)
    return command("join", *folders, "--key", "SITE.key", "--invited-by", "INVITER.pub", *start)


def after_join(federation: Path, cohort: Path, run: Path, key: Path, inviter: Path) -> str:
    """Answer, now or when the others have."""
    return command("answer", federation, cohort, run, "--key", key, "--invited-by", inviter)


def after_answers(federation: Path, run: Path, key: Path, inviter: Path) -> str:
    """One of the sites proposes a set to all."""
    joint = ("--federation", federation, "--key", key, "--invited-by", inviter)
    return command("generate", run, unused(run.with_name("synthetic")), "--count", "COUNT", *joint)


def after_generate(run: Path, synthetic: Path) -> str:
    """Have it attacked."""
    cohort, report = beside(run, COHORT), unused(synthetic.with_name("report"))
    return command(
        "audit", synthetic, "--cohort", cohort, "--run", run, "--policy", "POLICY.toml", "--report", report
    )


def after_audit(report: Path, *, record: Mapping[str, Any], cohort: Path | None) -> str:
    """What an officer does with a PASS, with a reason if a safeguard was off; else what is left for another run."""
    known = cohort or beside(report, COHORT)
    if record["verdict"] == "PASS":
        reason = ("--reason", "REASON") if record["overrides"] else ()
        return command("approve", report, "--cohort", known, "--key", "OFFICER.key", *_PERMISSION, *reason)
    return command("budget", known)


def after_keygen(private: Path, policy: Path | None) -> str:
    """The officer's key belongs to a cohort, the hospital's to a release."""
    if policy is not None:
        return command("prepare", "SOURCE", "COHORT", "--policy", policy)
    folders = ("--cohort", "COHORT", "--run", "RUN", "--report", "REPORT", "--to", "BUNDLE")
    return command("release", "SYNTHETIC", *folders, "--key", private)


def after_approve(report: Path, cohort: Path | None, *, several: bool) -> str:
    """The hospital's part; of several hospitals its word to the others."""
    synthetic, run, bundle = beside(report, SET), beside(report, RUN), unused(report.with_name("bundle"))
    named = ("--cohort", cohort or beside(report, COHORT), "--run", run, "--report", report)
    if several:
        return command("agree", "FEDERATION", synthetic, *named, "--key", "SITE.key", "--invited-by", "INVITER.pub")
    return command("release", synthetic, *named, "--to", bundle, "--key", "HOSPITAL.key")


def after_agree(case: "Case", federation: Path, key: Path, inviter: Path) -> str:
    """When the others have, too: one of them releases."""
    folders = ("--cohort", case.cohort, "--run", case.run, "--report", case.report)
    joint = ("--federation", federation, "--invited-by", inviter)
    return command("release", case.synthetic, *folders, *joint, "--to", unused(Path("bundle")), "--key", key)


def after_reject(report: Path) -> str:
    """Another set of the same run."""
    return command("generate", beside(report, RUN), unused(report.with_name("synthetic")), "--count", "COUNT")


def after_revoke(revocation: Path) -> str:
    """What everyone who has the bundle types."""
    return command("verify", "BUNDLE", "--public-key", "HOSPITAL.pub", "--revocation", revocation)


def after_release(bundle: Path, key: Path, *, approved: bool, others: int = 0) -> str:
    """What the recipient will type; with so many other hospitals' keys."""
    public = key.with_suffix(".pub")
    more = ("--public-key", "OTHER.pub") * others
    officer = ("--officer-key", "OFFICER.pub") if approved else ()
    return command("verify", bundle, "--public-key", public if public.exists() else "HOSPITAL.pub", *more, *officer)


def after_verify(bundle: Path, public_keys: Sequence[Path]) -> str:
    """Into an archive."""
    keys = (word for key in public_keys for word in ("--public-key", key))
    return command("send", bundle, *keys, "--to", "TITLE@HOST:PORT")


def after_budget(cohort: Path, room: float) -> str:
    """Another run, if one fits."""
    if room < 0.01:
        return ""
    epsilon = min(float(_EPSILON), int(100 * room) / 100)  # never more than fits
    return command("train", cohort, unused(cohort.with_name("run")), "--epsilon", f"{epsilon:g}")


def unused(path: Path) -> Path:
    """The path, or one like it that nothing has."""
    number, free = 2, path
    while free.exists():
        free, number = path.with_name(f"{path.name}-{number}"), number + 1
    return free


def beside(path: Path, kind: Kind) -> str:
    """The only folder of a kind beside a path; the kind in capitals where there is none, or several."""
    there = path.parent.iterdir() if path.parent.is_dir() else ()
    found = [each for each in there if each.is_dir() and kind_of(each) is kind]
    return str(found[0]) if len(found) == 1 else kind.name.rpartition(" ")[2].upper()
