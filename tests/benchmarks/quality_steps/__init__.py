"""The steps of the quality benchmark, one a file; they measure the checkout they lie in, whatever is installed."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = (ROOT, ROOT / "audits", ROOT / "uses", ROOT / "cli")

sys.path[:0] = [str(folder) for folder in PACKAGES]
