"""What the synthetic set is good for, measured beside what it gives away: it never gates a release.

Everything here is computed from held-back patients without noise and belongs into the internal report alone.
"""
