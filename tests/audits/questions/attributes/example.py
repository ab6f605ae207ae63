"""What this question found: in a set that passes, and with hostile texts wherever one may come from outside."""

from tests.audits.hostile import ATTACK, SECRET

_LABEL = {
    "members": 0.8,
    "non_members": 0.78,
    "advantage": 0.02,
    "advantage_interval": [-0.03, 0.07],
    "advantage_upper": 0.04,
    "residual_risk": 0.1,
    "guessing": 0.6,
    "values": 2,
    "p": 0.1,
}
PASSES = {
    "p": 0.1,
    "largest_advantage_lower": -0.02,
    "largest_advantage_upper": 0.04,
    "columns": {"label": _LABEL},
    "by_record": {"label": _LABEL},
    "not_applicable": {},
}
HOSTILE = PASSES | {
    "p": SECRET,
    "largest_advantage_lower": -0.0512,
    "largest_advantage_upper": 0.0712,
    "columns": {"label": _LABEL | {"members": SECRET, "advantage_upper": 0.0712, "p": SECRET}},
    "not_applicable": {"age": ATTACK},
}
