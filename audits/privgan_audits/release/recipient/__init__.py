"""What a recipient holds in hand: the verifier as a file of its own, and what it answers."""
