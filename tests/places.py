"""Where the checkout lies, whatever folder a test moves to."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
