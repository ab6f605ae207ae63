"""privgan: synthetic patient images under patient-level differential privacy.

What a notebook needs is here by name: a function for every step from a source to a verified bundle, and the frozen
settings that they take. Nothing heavy is imported before it is used. See docs/reference/python.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from privgan.data.cohort.options import PrepareOptions
    from privgan.data.selection import Selection
    from privgan.data.sources.wishes import Wishes
    from privgan.gan.prior.request import PriorRequest
    from privgan.images.form import ImageForm
    from privgan.progress import Lines, silent
    from privgan.seals import load_private_key
    from privgan.synthetic.generate import GenerateOptions
    from privgan_audits.policy import Policy
    from privgan_audits.release.recipient.offer import Offer
    from privgan_audits.release.release import Case
    from privgan_audits.terms import Terms
    from privgan_cli.asked import AuditOptions, PlanOptions, TrainOptions
    from privgan_cli.surface import audit, generate, load, plan, prepare, prior, release, scan, train, verify
    from privgan_cli.using.surface import augment, enhance_apply, enhance_evaluate, enhance_train, evaluate, teach
    from privgan_uses.augmenting.design import AugmentDesign
    from privgan_uses.restoring.request import PublicImages, RestoreRequest, Rivals
    from privgan_uses.teaching.settings import TeachSettings

__all__ = [
    "AuditOptions",
    "AugmentDesign",
    "Case",
    "GenerateOptions",
    "ImageForm",
    "Lines",
    "Offer",
    "PlanOptions",
    "Policy",
    "PrepareOptions",
    "PriorRequest",
    "PublicImages",
    "RestoreRequest",
    "Rivals",
    "Selection",
    "TeachSettings",
    "Terms",
    "TrainOptions",
    "Wishes",
    "audit",
    "augment",
    "enhance_apply",
    "enhance_evaluate",
    "enhance_train",
    "evaluate",
    "generate",
    "load",
    "load_private_key",
    "plan",
    "prepare",
    "prior",
    "release",
    "scan",
    "silent",
    "teach",
    "train",
    "verify",
]
_CALLS = "audit generate load plan prepare prior release scan train verify"
_USES = "augment enhance_apply enhance_evaluate enhance_train evaluate teach"
_PLACES = {
    **dict.fromkeys(_CALLS.split(), "privgan_cli.surface"),
    **dict.fromkeys(_USES.split(), "privgan_cli.using.surface"),
    **dict.fromkeys(("PublicImages", "RestoreRequest", "Rivals"), "privgan_uses.restoring.request"),
    **dict.fromkeys(("AuditOptions", "PlanOptions", "TrainOptions"), "privgan_cli.asked"),
    "AugmentDesign": "privgan_uses.augmenting.design",
    "Case": "privgan_audits.release.release",
    "GenerateOptions": "privgan.synthetic.generate",
    "ImageForm": "privgan.images.form",
    "Offer": "privgan_audits.release.recipient.offer",
    "Policy": "privgan_audits.policy",
    "PrepareOptions": "privgan.data.cohort.options",
    "PriorRequest": "privgan.gan.prior.request",
    "Selection": "privgan.data.selection",
    "TeachSettings": "privgan_uses.teaching.settings",
    "Terms": "privgan_audits.terms",
    "Wishes": "privgan.data.sources.wishes",
    "load_private_key": "privgan.seals",
    "Lines": "privgan.progress",
    "silent": "privgan.progress",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'privgan' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
