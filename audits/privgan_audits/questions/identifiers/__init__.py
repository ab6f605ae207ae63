"""T10, the identifier scan: what a file of any kind could carry, searched for what `prepare` saw."""
