"""`fairkey case capture | record`: a page taken by a browser here, and a guide for recordings of a screen."""

from pathlib import Path

import rich_click as click
from msgspec import to_builtins

from fairkey.casework.browser import BrowserIsAway
from fairkey.casework.capture import capture_page, seal_page
from fairkey.casework.folder import CaseIsRefused
from fairkey.casework.mails import Records, ask_dns, look_with
from fairkey.casework.model import Capture
from fairkey.casework.moments import moment
from fairkey.casework.recording_guide import begin, end, steps
from fairkey.casework.stamping import close_list
from fairkey.casework.texts import told_of

from .files import stamp
from .parts import (
    case_argument,
    json_option,
    language,
    now_ms,
    opened,
    roots_option,
    say,
    speaking,
    tell,
    tell_of,
    told,
    tsa_option,
)


@click.command()
@case_argument
@click.argument("url")
@click.option("--who", default="", help="Who takes it.")
@tsa_option
@roots_option
@json_option
def capture(folder: Path, url: str, who: str, tsa_text: str, tsa_roots: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Take the page at URL with the Chromium of this machine: picture, archive and a record of how; sealed at once.

    The browser starts with an empty profile: nobody is logged in. For pages behind a login: fairkey case record.
    """
    with speaking(as_json=as_json):
        case = opened(folder)
        try:
            captured = capture_page(url, at_ms=now_ms())
        except BrowserIsAway as error:
            raise CaseIsRefused(told_of(error)) from None
        look = look_with(Records(case.records, at_ms=now_ms(), ask=ask_dns))
        added = seal_page(case, captured, Capture(who=who), look=look, at_ms=now_ms())
        close_list(case, at_ms=now_ms())
        stamp(case, tsa_text, tsa_roots)
    figures = {
        "files": [{"name": one.file.name, "sha256": one.file.seal.sha256} for one in added],
        "is_whole": captured.record["is_whole"],
        "error": captured.record["error"],
        "answers": captured.record["answers"],
    }

    def lines() -> None:
        for answer in captured.record["answers"]:
            tell(f"{answer['status']}  {answer['url']}  {answer['address']}  {answer['issued_to']}")
        for one in added:
            tell(f"✓ {one.file.name}  SHA-256 {one.file.seal.sha256[:16]}…")
        if not captured.record["is_whole"]:
            tell(f"? {told('not_whole', why=captured.record['error'])}")

    say(figures, lines, as_json=as_json)


@click.command()
@case_argument
@click.option("--stop", "nonce", default="", metavar="WORD", help="Note that the recording with this word is over.")
@json_option
def record(folder: Path, nonce: str, as_json: bool) -> None:  # noqa: FBT001
    """Give out a fresh word for a recording of a screen, and tell step by step what to record.

    Its begin is noted now. When it is over: --stop WORD, then add the file with --nonce WORD.
    """
    with speaking(as_json=as_json):
        case = opened(folder)
        one = end(case, nonce, at_ms=now_ms()) if nonce else begin(case, at_ms=now_ms())
    figures = {
        "nonce": one.nonce,
        "began_at_ms": one.began_at_ms,
        "ended_at_ms": one.ended_at_ms,
        "steps": [to_builtins(step) for step in steps()],
    }

    def lines() -> None:
        if one.ended_at_ms:
            tell_of("recorded", from_=moment(one.began_at_ms), to=moment(one.ended_at_ms))
            tell_of("add_recording", folder=folder, nonce=one.nonce)
            return
        for number, step in enumerate(steps(), 1):
            tell(f"{number}. {step.of(language())}")
        tell_of("word", nonce=one.nonce, when=moment(one.began_at_ms))
        tell_of("stop_recording", folder=folder, nonce=one.nonce)

    say(figures, lines, as_json=as_json)
