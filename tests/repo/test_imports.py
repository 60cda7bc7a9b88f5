"""Who may import whom: the contracts stand in pyproject.toml under `tool.importlinter`."""

import os
import subprocess
import sys
from pathlib import Path

from repo.tree import ROOT

CONTRACTS = ["layers", "business-inside", "business-pure", "edges-ask", "proofs-alone", "sandbox-apart"]
PROGRAM = Path(sys.executable).with_name("lint-imports")


def test_no_import_goes_the_wrong_way() -> None:
    run = subprocess.run(
        [
            str(PROGRAM),
            "--no-logo",
            "--cache-dir",
            ".state/import-linter",
            *(f"--contract={name}" for name in CONTRACTS),
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{len(CONTRACTS)} kept, 0 broken" in run.stdout
