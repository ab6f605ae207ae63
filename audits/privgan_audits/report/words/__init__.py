"""The fixed sentences of the report, written for a privacy officer who is not a statistician.

No sentence here depends on data: what was measured is put beside them by the modules that arrange the page.
"""
