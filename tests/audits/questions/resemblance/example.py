"""What this question found: in a set that passes, and with hostile texts wherever one may come from outside."""

PASSES = {
    "dcr_share": {"measured": 0.66, "range_when_safe": [0.62, 0.7], "meaning": "of copies"},
    "nndr": {"members": {"median": 0.9}, "non_members": {"median": 0.9}, "meaning": "of closeness"},
    "c_t": {"measured": 0.1, "cells": 3, "covered": 0.9, "meaning": "of copying"},
    "authenticity": {"share": 0.6, "meaning": "of distance"},
}
HOSTILE = {"outcome": "not-run", "reason": "nobody asked"}
