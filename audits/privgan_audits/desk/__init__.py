"""The officer's desk: pages on this machine alone that lead through a decision, until it is signed."""
