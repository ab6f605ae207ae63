"""What each test measured, in a phrase and in a few plain sentences; for the internal page only.

Numbers first where a reader can act on them; p-values as how often chance alone would look so. The appendix has all
the rest.
"""
