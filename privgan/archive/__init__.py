"""Talking to real archives: what leaves by STOW-RS or C-STORE, and what comes in by QIDO-RS and WADO-RS."""
