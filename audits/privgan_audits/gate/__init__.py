"""From numbers to a verdict: the officer's policy, the record of an audit, and who may pass."""
