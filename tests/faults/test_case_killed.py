"""A case whose program is killed before any line of its work: it opens, nothing that was in it is lost, and doing the
act again ends well. Two programs at once both get their way.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fairkey.casework.checking import BAD, check_case
from fairkey.casework.folder import CaseFolder, new_case
from fairkey.casework.model import Case

RUNNER = Path(__file__).with_name("case_runner.py")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
@pytest.mark.parametrize("act", ["new", "add", "list"])
def test_killed_before_any_line_a_case_opens_and_the_act_can_be_done_again(act: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, str(RUNNER), act, str(tmp_path / "root")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert told["wrong"] == []
    assert told["deaths"] > 80


def test_two_programs_that_add_at_once_both_end_up_in_the_case(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    new_case(folder, Case(case_id="c", created_at_ms=1))
    script = (
        "import sys; from pathlib import Path\n"
        "from fairkey.casework.folder import CaseFolder\n"
        "from fairkey.casework.model import Capture\n"
        "from fairkey.casework.sealing import add_bytes\n"
        "for number in range(15):\n"
        "    add_bytes(CaseFolder(Path(sys.argv[1])), f'{sys.argv[2]}{number}', (sys.argv[2]*number).encode(),"
        " Capture(), at_ms=5)\n"
    )
    programs = [subprocess.Popen([sys.executable, "-c", script, str(folder), who]) for who in "xyz"]
    assert [one.wait() for one in programs] == [0, 0, 0]

    case = CaseFolder(folder)
    assert len(case.read().files) == 3 * 14 + 1  # the empty file is one file, whoever brought it
    assert case.read().revision == 43
    assert [one for one in check_case(case) if one.state == BAD] == []
