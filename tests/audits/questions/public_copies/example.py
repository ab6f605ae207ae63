"""What this question found: in a set that passes, and with hostile texts wherever one may come from outside."""

from tests.audits.hostile import ATTACK

PASSES = {"exact_copies": 0, "near_copies": 0, "compared_public_images": 10_000}
HOSTILE = {"outcome": "not-run", "reason": ATTACK}
