"""Does one act on a copy of a case again and again, each time killed one line later than before, until it comes to its
end; after each death looks whether the case opens and is whole. Run as a program; prints one JSON object.

`case_runner.py ACT FOLDER`: ACT is `add`, `list`, `new` or `pack`.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import fairkey.casework
from fairkey.casework.checking import BAD, check_case
from fairkey.casework.folder import CaseFolder, CaseIsMissing, new_case
from fairkey.casework.model import Capture, Case
from fairkey.casework.sealing import add_bytes
from fairkey.casework.stamping import close_list

HERE = Path(fairkey.casework.__file__).parent
WATCHED = {str(HERE / f"{name}.py") for name in ("copying", "disk", "folder", "journal", "sealing", "stamping")}
DIED, DONE = 9, 0
CASE = Case(case_id="00000000-0000-4000-8000-000000000000", created_at_ms=1_795_000_000_000)


def killed_at(line: int, act: Callable[[], object]) -> bool:
    """Whether a process that does `act` dies before line number `line` of the package, counted as it runs."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DIED
    left = [line]

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., object] | None:
        if frame.f_code.co_filename not in WATCHED:
            return None
        if event == "line":
            left[0] -= 1
            if not left[0]:
                os._exit(DIED)
        return trace

    sys.settrace(trace)
    try:
        act()
    except Exception as error:  # noqa: BLE001 - told to whoever waits for this process
        print(repr(error), file=sys.stderr)
        os._exit(1)
    os._exit(DONE)


def add(folder: CaseFolder, name: str = "b.txt") -> None:
    add_bytes(folder, name, b"second", Capture(who="me"), at_ms=1_795_000_002_000)


def main(name: str, root: Path) -> None:
    root.mkdir()
    os.fsync = lambda _: None  # the system does not die here, only the program
    first, second = root / "first", root / "second"
    acts: dict[str, Callable[[], object]] = {
        "new": lambda: new_case(second, CASE),
        "add": lambda: add(CaseFolder(second)),
        "list": lambda: close_list(CaseFolder(second), at_ms=1_795_000_003_000),
    }
    if name != "new":
        add_bytes(new_case(first, CASE), "a.txt", b"first", Capture(), at_ms=1_795_000_001_000)
    line, deaths, missing = 1, 0, 0
    wrong: list[str] = []
    while True:
        if second.exists():
            shutil.rmtree(second)
        if name != "new":
            shutil.copytree(first, second)
        died = killed_at(line, acts[name])
        deaths += died
        folder = CaseFolder(second)
        try:
            case = folder.read()
        except CaseIsMissing:
            missing += 1
            if name != "new":
                wrong.append(f"line {line}: the case is gone")
            acts[name]()  # whoever comes back does it again
        else:
            wrong += [f"line {line}: {one.sentence} {one.details}" for one in check_case(folder) if one.state == BAD]
            if died and name == "add":
                add(folder)
                names = sorted(one.name for one in folder.read().files)
                if names != ["a.txt", "b.txt"]:
                    wrong.append(f"line {line}: after doing it again the files are {names}, before {len(case.files)}")
            if died and name == "list":
                close_list(folder, at_ms=1_795_000_004_000)
                if not all(one.seal.list_sha256 for one in folder.read().files):
                    wrong.append(f"line {line}: a file is in no list")
        wrong += [f"line {line}, again: {one.sentence}" for one in check_case(folder) if one.state == BAD]
        if not died:
            break
        line += 1
    print(json.dumps({"deaths": deaths, "missing": missing, "wrong": wrong[:10]}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
