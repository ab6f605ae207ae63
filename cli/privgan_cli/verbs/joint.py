"""agree: a hospital's word on a set of several; and the one set that all of them draw, each for itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from privgan.errors import IntegrityError, UsageError
from privgan.language import by_default, tr
from privgan_cli import before
from privgan_cli.console import console
from privgan_cli.line import following
from privgan_cli.options import read_key, today

if TYPE_CHECKING:
    from privgan.federation.invitation import Federation
    from privgan.progress import Progress
    from privgan.synthetic.drawing import Asked
    from privgan.synthetic.generate import GenerateOptions
    from privgan.synthetic.seed import Seed
    from privgan.synthetic.synthetic_set import Manifest
    from privgan_audits.release.joint.gathering import Joint

_WITHOUT = "Expected --cohort, --run and --report, on which a yes rests; --no needs none of them."


def agree(
    federation: Annotated[Path, typer.Argument(help="The folder that travels between the sites.")],
    synthetic: Annotated[Path, typer.Argument(help="The set that all of them have drawn.")],
    key: Annotated[Path, typer.Option(help="This site's private key, which it signs with.")],
    invited_by: Annotated[Path, typer.Option(help="The public key of whoever invited.")],
    cohort: Annotated[Path | None, typer.Option(help="This site's, which it answered from.")] = None,
    run: Annotated[Path | None, typer.Option(help="This site's, in which it answered.")] = None,
    report: Annotated[Path | None, typer.Option(help="This site's audit, approved by its officer.")] = None,
    no: Annotated[bool, typer.Option("--no", help="Say no, without a reason; takes back a yes.")] = False,
) -> int:
    """Say yes, for this hospital, to the release of a set of several, after all that a release looks at; or no."""
    before.sites(federation, invited_by)
    before.require_key(key)
    if no:
        return _say_no(federation, invited_by, synthetic, key)
    if cohort is None or run is None or report is None:
        raise UsageError(_WITHOUT)
    before.agree(synthetic, cohort, report, run)
    from privgan_audits.record import language_of
    from privgan_audits.release.joint.agreeing import agree as agree_to
    from privgan_audits.release.judged import read_record
    from privgan_audits.release.release import Case

    joint = joint_of(federation, invited_by)
    case = Case(synthetic=synthetic, cohort=cohort, report=report, run=run, joint=joint)
    agreed = agree_to(case, read_key(key), today=today(), progress=console.progress)
    approved = agreed.approval.approval.facts()
    with by_default(language_of(read_record(report)[0])):
        console.result(
            {"site": agreed.site, "agrees": True, "synthetic_sha256": agreed.stated["synthetic_sha256"]},
            tr(
                "site {name} agrees, with the approval of {officer} until {day}; the word lies in {folder}",
                name=agreed.site,
                officer=approved["officer"],
                day=approved["until"],
                folder=federation,
            ),
            then=following.after_agree(case, federation, key, invited_by),
        )
    return 0


def _say_no(federation: Path, invited_by: Path, synthetic: Path, key: Path) -> int:
    from privgan.files import sha256_file
    from privgan.kinds import SET, require_kind

    require_kind(SET, synthetic)
    from privgan_audits.release.joint.agreeing import disagree

    sha256 = sha256_file(synthetic / SET.marker)
    site = disagree(joint_of(federation, invited_by), sha256, read_key(key))
    console.result(
        {"site": site, "agrees": False, "synthetic_sha256": sha256},
        tr("site {name} says no to this set; the others read that and no reason", name=site),
    )
    return 0


def joint_of(folder: Path, invited_by: Path) -> "Joint":
    """The folder between hospitals, and whose keys are invited, for whoever agrees, releases or looks on."""
    about = Between(folder=folder, invited_by=invited_by).federation
    from privgan.federation.exchange import Exchange
    from privgan_audits.release.joint.agreement import Sites
    from privgan_audits.release.joint.gathering import Joint

    keys = {site.name: site.key for site in about.invitation.sites}
    return Joint(exchange=Exchange(folder=folder), sites=Sites(federation=about.sha256, keys=keys))


def asked_for(folder: Path | None, invited_by: Path | None) -> "Joint | None":
    """The same of `release`, None of a set of one hospital.

    Raises:
        UsageError: one of the two is named without the other.
    """
    if (folder is None) != (invited_by is None):
        raise UsageError("Expected --federation and --invited-by together, of a set of several hospitals.")
    return None if folder is None or invited_by is None else joint_of(folder, invited_by)


@dataclass(frozen=True, kw_only=True)
class Between:
    """The folder between hospitals, as `generate` uses it. invited_by: the inviter's public key. key: this site's."""

    folder: Path
    invited_by: Path
    key: Path | None = None

    @classmethod
    def of(
        cls, folder: Path | None, invited_by: Path | None, key: Path | None, count: int | None
    ) -> "Between | None":
        """What was typed; None for a set of one hospital.

        Raises:
            UsageError: the words do not go together.
        """
        if folder is None or invited_by is None:
            if not folder and not invited_by and not key:
                return None
            raise UsageError("Expected --federation and --invited-by together, of a set of several hospitals.")
        if (key is None) != (count is None):
            raise UsageError("Expected --count and --key to propose a set to all hospitals, or neither to draw it.")
        before.sites(folder, invited_by)
        before.require_key(key)
        return cls(folder=folder, invited_by=invited_by, key=key)

    @property
    def federation(self) -> "Federation":
        """Which one it is, if its invitation is by this key."""
        before.sites(self.folder, self.invited_by)
        from privgan.federation.exchange import Exchange
        from privgan.federation.letters import federation_of
        from privgan.seals import load_public_key

        return federation_of(Exchange(folder=self.folder).invitation, load_public_key(self.invited_by))

    def propose(self, synthetic: Path) -> None:
        """Tell the other hospitals what this set is drawn from: all but the generator, which they have.

        Raises:
            IntegrityError: the set is of another federation.
        """
        about = self.federation
        from privgan.config import to_table
        from privgan.federation.exchange import Exchange
        from privgan.federation.standing import propose
        from privgan.seals import key_line
        from privgan.synthetic.drawing import Asked
        from privgan.synthetic.set_files import formats_of
        from privgan.synthetic.synthetic_set import open_synthetic_set

        held = open_synthetic_set(synthetic)
        if held.manifest.federation != about.named or held.seed is None or self.key is None:
            raise IntegrityError("Expected a set of this federation, got another one. It was not proposed.")
        key = read_key(self.key)
        said = {
            "asked": to_table(Asked.of(held.manifest)),
            "formats": sorted(formats_of(held.files)),
            "seed": held.seed.text,
            "synthetic_sha256": held.sha256,
        }
        site = about.invitation.site_of(key_line(key.public_key()))
        propose(Exchange(folder=self.folder), about, site, said, key)

    def draw(self, run: Path, synthetic: Path, *, force: bool, progress: "Progress") -> "Manifest":
        """Draw, from this hospital's own copy of the generator, the set that one of them has proposed.

        Raises:
            UsageError: none was proposed.
            IntegrityError: the proposal is nobody's or odd, or what is drawn here is another set.
        """
        about = self.federation
        before.generate(run, synthetic, force=force)
        from privgan.federation.exchange import Exchange
        from privgan.federation.standing import current
        from privgan.files import sha256_file
        from privgan.folders import require_space, staged_folder
        from privgan.synthetic.drawing import finished
        from privgan.synthetic.generate import draw, output_bytes
        from privgan.synthetic.synthetic_set import MARKER

        proposal = current(Exchange(folder=self.folder), about)
        if proposal is None:
            raise UsageError("Expected --count, or a set that another hospital has proposed; there is none yet.")
        asked, options, seed = _drawn_from(proposal.said)
        with staged_folder(synthetic, marker=MARKER, force=force) as staging:
            require_space(
                staging, output_bytes(options, finished(run).form)
            )  # whoever proposes may ask for any count
            made = draw(run, staging, asked, options.formats, seed, progress)
            if made.federation != about.named or sha256_file(staging / MARKER) != proposal.sha256:
                raise IntegrityError(
                    "Expected to draw the very set that was proposed, another one came: this hospital's generator is "
                    "another, or its machine rounds otherwise. Propose a set from here, or use machines of one kind."
                )
        return made


def _drawn_from(said: dict[str, Any]) -> "tuple[Asked, GenerateOptions, Seed]":
    """What a proposal says."""
    from privgan.config import from_table
    from privgan.synthetic.drawing import Asked
    from privgan.synthetic.generate import GenerateOptions
    from privgan.synthetic.seed import Seed

    try:
        asked, seed = from_table(Asked, said["asked"]), Seed.of_text(str(said["seed"]).encode())
        return asked, GenerateOptions(count=asked.count, formats=tuple(map(str, said["formats"]))), seed
    except (KeyError, TypeError, ValueError, UsageError):
        raise IntegrityError("Expected a proposal of a set, a value of it is odd or missing.") from None
