"""privgan: synthetic patient images under patient-level differential privacy."""

__version__ = "0.1.0"
