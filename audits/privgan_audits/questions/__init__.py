"""The questions of an audit, a folder each: how it is measured, judged and told."""
