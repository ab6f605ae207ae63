"""A hospital says yes to a set of several, after all that it would do to release it alone; or no, without reasons."""

from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privgan.errors import UsageError
from privgan.progress import Progress, silent
from privgan.seals import key_line
from privgan_audits.release.joint.agreement import Agreement, no, opened_agreement, yes
from privgan_audits.release.joint.gathering import Joint
from privgan_audits.release.release import Case, clear
from privgan_audits.release.writing import claims_of


def agree(case: Case, key: Ed25519PrivateKey, *, today: date, progress: Progress = silent) -> Agreement:
    """Check everything that a release requires, draw the set again, and put this hospital's yes into the folder.

    Args:
        case: the set, this hospital's cohort and run, its audit with its officer's approval, and the folder.
        key: with which this site signs.
        today: UTC.
        progress: told of checking.

    Raises:
        PrivganError: whatever `release` raises; nothing is said to the others then.
    """
    cleared = clear(case, key.public_key(), today, progress)
    if case.joint is None or cleared.permission is None:
        raise UsageError("Expected a set of several hospitals, and the folder between them.")
    sites, site, sha256 = case.joint.sites, cleared.released_by, cleared.synthetic.sha256
    stated = {**claims_of(cleared), "policy": cleared.judged.policy.to_json()}
    letters = yes(sites, site, stated, cleared.permission.envelope, key)
    agreed = opened_agreement(letters, site, sites, sha256)  # refuses here what the others would have to refuse
    case.joint.say(site, letters)
    return agreed


def disagree(joint: Joint, synthetic_sha256: str, key: Ed25519PrivateKey) -> str:
    """Put this hospital's no to a set into the folder, in the place of a yes.

    Returns:
        Which site has said no.

    Raises:
        UsageError: the key is no site's.
    """
    site = joint.sites.named(key_line(key.public_key()))
    joint.say(site, no(joint.sites, site, synthetic_sha256, key))
    return site
