"""What this question found in a set that passes."""

PASSES = {"whistles": 0}
HOSTILE = {"whistles": 3}
