"""How the command line helps: verbs by who uses them, and for each an example and the options that all verbs take."""

from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup

from privgan.language import AS_WRITTEN, language
from privgan_cli.console import console
from privgan_cli.line.everywhere import HELP
from privgan_cli.line.page import Page

BEGIN = "Commands to begin with"
ENGINEER = "Commands for the data engineer"
OFFICER = "Commands for the privacy officer"
RECIPIENT = "Commands for the recipient"
USES = "Commands for using a set"
ARCHIVE = "Commands for the archive"
HOSPITALS = "Commands for several hospitals"
_APPROVE = (
    "approve report --cohort cohort --key officer.key --name 'A. Officer' --until 2027-06-30 --purpose research "
    "--recipient 'Example University'"
)
_INVITE = (
    "invite federation --like cohort --site a=a.pub --site b=b.pub --site c=c.pub --patients 3000 --epsilon 3 "
    "--key a.key"
)
_AGREE = "agree federation synthetic --cohort cohort --run run --report report --key b.key --invited-by a.pub"
EXAMPLES = {
    "demo": ("demo",),
    "doctor": ("doctor", "doctor --attack-mechanism"),
    "fetch": (
        "fetch https://pacs.example.org/dicom-web images --query Modality=CR --query StudyDate=20240101-20241231",
    ),
    "scan": ("scan images --csv labels.csv",),
    "prepare": ("prepare images cohort --csv labels.csv --modality CR --body-part CHEST --policy policy.toml",),
    "budget": ("budget cohort",),
    "plan": ("plan --patients 2000 --batch 128 --steps 250 --epsilon 3",),
    "prior": ("prior public prior --source 'NIH ChestX-ray14' --licence CC0 --size 64",),
    "train": ("train cohort run --epsilon 3", "train cohort run --epsilon 3 --resume"),
    "generate": ("generate run synthetic --count 4000",),
    "audit": (
        "audit synthetic --cohort cohort --run run --report report --policy policy.toml",
        "audit pictures --members trained --non-members others --report report",
    ),
    "invite": (_INVITE,),
    "join": ("join federation cohort run --key b.key --invited-by a.pub",),
    "answer": (
        "answer federation cohort run --key b.key --invited-by a.pub",
        "answer federation cohort run --key b.key --invited-by a.pub --wait 600",
    ),
    "sites": ("sites federation --invited-by a.pub",),
    "agree": (_AGREE, "agree federation synthetic --no --key b.key --invited-by a.pub"),
    "desk": ("desk report --cohort cohort --key officer.key",),
    "report": ("report report --cohort cohort",),
    "keygen": ("keygen officer --policy policy.toml --house 'St. Example Hospital'", "keygen hospital"),
    "approve": (_APPROVE,),
    "reject": ("reject report --cohort cohort --key officer.key --name 'A. Officer' --reason 'too few patients'",),
    "revoke": ("revoke report --cohort cohort --key officer.key --reason 'consent was withdrawn'",),
    "release": ("release synthetic --cohort cohort --run run --report report --to bundle --key hospital.key",),
    "verify": ("verify bundle --public-key hospital.pub --officer-key officer.pub",),
    "teach": ("teach bundle model --public-key hospital.pub",),
    "evaluate": ("evaluate model cohort evaluation",),
    "augment": ("augment bundle cohort worth --public-key hospital.pub",),
    "enhance train": (
        "enhance train bundle model --task denoise --public-key hospital.pub",
        "enhance train bundle model --task super-resolve --factor 2 --public-key hospital.pub",
        "enhance train model --task artefact --public images --source 'NIH ChestX-ray14' --licence CC0",
    ),
    "enhance apply": ("enhance apply model images restored",),
    "enhance evaluate": ("enhance evaluate model cohort evaluation --bundle bundle --public-key hospital.pub",),
    "send": ("send bundle --public-key hospital.pub --to ARCHIVE@pacs.example.org:104 --tls",),
}


_VALUES = {int: "N", float: "X", Path: "PATH"}


class Verb(TyperCommand):
    """A verb whose help ends with an example, and which tells the log that it begins."""

    def __init__(self, **about: Any) -> None:
        """about: see typer. Values are called in capitals, as in the pages."""
        super().__init__(**about)
        for parameter in self.params:
            if parameter.metavar is None and not getattr(parameter, "is_flag", False):
                parameter.metavar = _called(parameter)

    def get_help(self, ctx: Any) -> str:
        """In the current language."""
        return super().get_help(ctx) if language() == AS_WRITTEN else _spoken(self, ctx)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The verb's own options, then everybody's, then what one types."""
        super().format_options(ctx, formatter)
        with formatter.section("Options of every verb"):
            formatter.write_dl(list(HELP))
        with formatter.section("Example"):
            for line in EXAMPLES.get(_typed(ctx), ()):
                formatter.write(f"{'':>{formatter.current_indent}}privgan {line}\n")

    def invoke(self, ctx: Any) -> Any:
        """Run it."""
        console.begins(_typed(ctx))
        return super().invoke(ctx)


def _typed(ctx: Any) -> str:
    """A verb as it is typed: after its group, if it is one of several."""
    return str(ctx.command_path).partition(" ")[2]


def _spoken(command: TyperCommand | TyperGroup, ctx: Any) -> str:
    """Its help in another language than the code's."""
    page: Any = Page()
    command.format_help(ctx, page)
    return str(page.getvalue()).rstrip("\n")


def _called(parameter: Any) -> str:
    """An argument by its name, an option's value by what it is."""
    if not parameter.opts[0].startswith("-"):
        return str(parameter.name).upper()
    return _VALUES.get(parameter.type_descriptor.annotation, "TEXT")


class Verbs(TyperGroup):
    """The verbs, listed by who uses them."""

    def get_help(self, ctx: Any) -> str:
        """In the current language."""
        return super().get_help(ctx) if language() == AS_WRITTEN else _spoken(self, ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """A section a group, in the order in which their first verbs were added."""
        groups = dict[str, list[tuple[str, str]]]()
        for name in self.list_commands(ctx):
            verb = self.get_command(ctx, name)
            if verb is not None and not verb.hidden:
                line = verb.get_short_help_str(limit=200)
                groups.setdefault(str(getattr(verb, "rich_help_panel", "") or BEGIN), []).append((name, line))
        for group, rows in groups.items():
            with formatter.section(group):
                formatter.write_dl(rows)
