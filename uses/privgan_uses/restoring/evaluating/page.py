"""evaluate.html."""
from pathlib import Path
from typing import Any
def write_page(folder, facts, found):
    pass
def lines_of(content):
    return [f"{k}: {v['psnr']} {v['ssim']}" for k,v in content["arms"].items()]
