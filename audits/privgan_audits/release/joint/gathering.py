"""The folder between hospitals, as whoever agrees or releases uses it: whose word is there, and that all said yes."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from privgan.errors import IntegrityError, NotReleasableError
from privgan.federation.exchange import Exchange
from privgan.files import sha256_file
from privgan.language import kept
from privgan.synthetic.synthetic_set import MARKER
from privgan_audits.release.joint.agreement import Agreement, Letters, Sites, opened_agreement, require_together
from privgan_audits.release.writing import Cleared


@dataclass(frozen=True, kw_only=True)
class Joint:
    """exchange: the folder. sites: all that the invitation names."""

    exchange: Exchange
    sites: Sites

    def agreements(self, synthetic: Path, today: date) -> tuple[Agreement, ...]:
        """The yes of every hospital to a set, whose approvals hold today.

        Args:
            synthetic: the set.
            today: UTC.

        Raises:
            NotReleasableError: one says no, or says nothing.
            IntegrityError: a word is foreign, forged or stale; or an approval has ended.
        """
        sha256 = sha256_file(synthetic / MARKER)
        found = {site: self.word_of(site) for site in self.sites.keys}
        if missing := ", ".join(site for site, letters in found.items() if letters is None):
            raise NotReleasableError(
                f"Expected every hospital to agree that this set is released, these have not said so: {missing}."
            )
        agreements = tuple(
            opened_agreement(letters, site, self.sites, sha256)
            for site, letters in sorted(found.items())
            if letters is not None
        )
        require_together(agreements, self.sites)
        for each in agreements:
            if trouble := each.approval.approval.trouble_on(today):
                raise IntegrityError(
                    kept(
                        "Expected approvals that hold today, that of site {site} {trouble}. Its officer approves "
                        "again, and it agrees again.",
                        site=each.site,
                        trouble=trouble,
                    )
                )
        return agreements

    def said(self, site: str, synthetic_sha256: str) -> bool | None:
        """Whether a site agrees to a set; None where it has said nothing.

        Raises:
            IntegrityError: its word is foreign, forged or stale.
        """
        if (letters := self.word_of(site)) is None:
            return None
        try:
            opened_agreement(letters, site, self.sites, synthetic_sha256)
        except NotReleasableError:
            return False
        return True

    def word_of(self, site: str) -> Letters | None:
        """What a site has said, unread; None where it said nothing."""
        found = self.exchange.agreed(site)
        return None if found is None else Letters(statement=found[0], approval=found[1])

    def say(self, site: str, letters: Letters) -> None:
        """Put a site's word in its place."""
        self.exchange.agree(site, letters.statement, letters.approval)


def require_own_word(cleared: Cleared) -> None:
    """Refuse to release what this hospital did not agree to: an audit or an approval since then needs a new yes.

    Raises:
        IntegrityError: see above.
    """
    for each in cleared.agreements:
        own = each.site == cleared.released_by
        if own and (cleared.permission is None or each.approval.envelope != cleared.permission.envelope):
            raise IntegrityError(
                "Expected this hospital's own yes to this audit and this approval, it said yes to earlier ones. "
                "Agree again."
            )
