"""What a hospital adds for the recipient when it releases: terms, how to cite, and further forms of the images."""

from dataclasses import dataclass, replace

from privgan.checks import one_of, require_line
from privgan.errors import UsageError
from privgan.synthetic.hub_head import spdx
from privgan.synthetic.other_forms import FORMS
from privgan_audits.policy import LONGEST_CITATION, LONGEST_LICENCE, Policy


@dataclass(frozen=True, kw_only=True)
class Offer:
    """licence: SPDX's identifier, an address or words. citation: how to cite the set. Empty: as the policy says.

    forms: any of `synthetic.other_forms.FORMS`, beside the set as it was audited.
    """

    licence: str = ""
    citation: str = ""
    forms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_line(LONGEST_LICENCE, empty=True, licence=self.licence)
        require_line(LONGEST_CITATION, empty=True, citation=self.citation)
        for form in self.forms:
            one_of(FORMS, format=form)
        object.__setattr__(self, "licence", spdx(self.licence) or self.licence)
        object.__setattr__(self, "forms", tuple(form for form in FORMS if form in self.forms))

    def under(self, policy: Policy, *, approved: bool) -> "Offer":
        """The same, with the policy's words where nothing else was said.

        Args:
            policy: of the audit.
            approved: an officer signs this release: then no words leave that the officer has not signed, which are
                those of the policy; where it names no licence, one that everybody knows by its identifier.

        Raises:
            UsageError: other words were typed.
        """
        named = spdx(policy.licence) or policy.licence
        allowed = self.licence in ("", named) or (not named and bool(spdx(self.licence)))
        if approved and not (allowed and self.citation in ("", policy.citation)):
            raise UsageError(
                "Expected the policy's licence and citation, or where it names no licence SPDX's identifier of one "
                "that hubs know: the privacy officer signs, and other terms would leave than the officer has read. "
                "Have them put into the policy, and audit under it."
            )
        return replace(self, licence=self.licence or policy.licence, citation=self.citation or policy.citation)

    @property
    def terms(self) -> dict[str, str]:
        """As they are signed; empty where nothing is said."""
        return {"licence": self.licence, "citation": self.citation}
