"""`fairkey case language`: is it written soberly? Suggestions, never a refusal."""

import sys
from pathlib import Path

import rich_click as click

from fairkey.casework.disk import FileIsRefused, read_bounded
from fairkey.casework.letters.language import LanguageFinding, findings, findings_of
from fairkey.casework.texts import about

from .parts import json_option, opened, say, speaking, tell, tell_of, told
from .parts import language as lang

TEXT_BYTES_MAX = 1024 * 1024


@click.command()
@click.argument("source", metavar="[FILE|CASE|-]", default="-", type=click.Path(path_type=Path))
@click.option("--name", "names", multiple=True, help="A product or shop whose name is no word of yours. Repeatable.")
@json_option
def language(source: Path, names: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001 - click passes options so
    """Point out insults, threats, exaggeration, guesses told as facts, demands beyond the law: in a file, in what you
    told of a CASE, or in what is piped in. Words quoted from the other side are passed over. Nothing is changed.
    """
    with speaking(as_json=as_json):
        text, found = _read(source, names)

    def lines() -> None:
        for one in found:
            line = text.count("\n", 0, one.start) + 1
            tell(f"{line}: {one.text}")
            tell(f"     {one.why.of(lang())}")
            tell(f"     {told('rather', instead=one.instead)}")
        tell_of("look_again" if found else "sober", count=len(found))

    say({"findings": [one._asdict() for one in found]}, lines, as_json=as_json)


def _read(source: Path, names: tuple[str, ...]) -> tuple[str, tuple[LanguageFinding, ...]]:
    if source.is_dir():
        case = opened(source).read()
        return case.account, findings_of(case)
    if str(source) == "-":
        data = sys.stdin.buffer.read(TEXT_BYTES_MAX)
    else:
        try:
            data = read_bounded(source, TEXT_BYTES_MAX)
        except FileIsRefused as error:
            raise FileIsRefused(about(source.name, error)) from None
    text = _decoded(data)
    return text, findings(text, names)


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileIsRefused("The text is neither UTF-8 nor GB18030.")
