"""Files that nobody thought of: the scan ends on all of them, and still finds a number that stands there in full."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privgan.data.identifiers import IDENTIFIER, IdentifierDigests
from privgan.progress import silent
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.identifiers.measure import _Scan
from tests.audits.questions.identifiers.containers import archive, in_png, picture
from tests.data.hostile import crafting as craft
from tests.data.hostile.fuzzing import EDITS, Edit, bases

NUMBER = b"ZZ-4711-MARK"
PLAIN = (craft.meta(craft.EXPLICIT) + craft.body(), picture("TIFF") + NUMBER, b'{"patient": "' + NUMBER + b'"}')
PACKED = (*bases()[1:], in_png(b"tEXt", b"Comment\0")(NUMBER), archive(NUMBER), picture("JPEG"))
ONE = np.zeros(1, np.int64)
NOTHING = Sample(images=np.zeros((1, 28, 28, 1), np.uint8), labels=ONE, patients=ONE)
EXAMPLE = given(st.integers(0, len(PLAIN + PACKED) - 1), st.lists(EDITS, min_size=1, max_size=6))


def require_an_end(path: Path, base: int, edits: list[Edit]) -> None:
    content = bytearray((PLAIN + PACKED)[base])
    for edit in edits:
        edit(content)
    digests = IdentifierDigests(bytes(32))
    digests.add(IDENTIFIER, NUMBER.decode())
    scan = _Scan(craft.write(path, bytes(content)), NOTHING)
    scan.run(digests, silent)
    if base < len(PLAIN) and NUMBER in content:
        assert scan.findings()["identifiers_found"]


@settings(
    max_examples=150, deadline=10_000, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@EXAMPLE
def test_the_scan_ends_and_finds_what_stands_there(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], base: int, edits: list[Edit]
) -> None:
    require_an_end(tmp_path / "a.bin", base, edits)
    assert "".join(capfd.readouterr()) == ""


@pytest.mark.study
@settings(max_examples=20_000, deadline=10_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@EXAMPLE
def test_the_scan_ends_on_very_many_files(tmp_path: Path, base: int, edits: list[Edit]) -> None:
    require_an_end(tmp_path / "a.bin", base, edits)
