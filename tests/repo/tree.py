"""The committed files, as the tests of this folder look at them."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def committed() -> tuple[Path, ...]:
    """Every file of the repository that exists, relative to `ROOT`: those git knows and those it would take."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
        ).stdout.decode()
        names = [name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive
        left_out = {".state", ".git", "__pycache__", ".hypothesis", ".ruff_cache"}
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        names = [str(path) for path in found if not left_out & set(path.parts)]
    return tuple(sorted(Path(name) for name in names if (ROOT / name).is_file()))


@cache
def text_of(path: Path) -> str:
    """Content of a committed text file; pictures and the like are empty."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def python_files(folder: str) -> list[Path]:
    """The Python files below a folder."""
    return [path for path in committed() if path.suffix == ".py" and path.is_relative_to(folder)]
