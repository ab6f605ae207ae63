"""The report: what an audit found, in words, charts and pictures, for the hospital and for outside."""
