"""The letters of a case on the site: one page for each channel, to read, copy and take away. Nothing is sent."""

import asyncio
from datetime import date, datetime
from importlib.util import find_spec
from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from fairkey.business.basics import NotFound
from fairkey.casework.channels import CHANNELS
from fairkey.casework.demand import compute
from fairkey.casework.folder import CaseFolder
from fairkey.casework.letters.composing import compose, is_told, open_channels
from fairkey.casework.letters.letter import Letter
from fairkey.casework.letters.summary import summary
from fairkey.casework.model import Case
from fairkey.casework.moments import CHINA
from fairkey.casework.texts import words as words_of
from fairkey.engine.house import House
from fairkey.web.cases import words
from fairkey.web.cases.pages import NO_STORE, lang_of, owner_of
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.render import render

_PRESSES: Final = asyncio.Semaphore(2)
"""PDFs made at once: each takes a core for some tenths of a second."""


@get("/cases/{case_id:str}/letters")
async def letters(request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str]) -> Response[str]:
    """The letter to begin with."""
    return await _page(request, house, case_id, "")


@get("/cases/{case_id:str}/letters/{channel:str}")
async def letter(
    request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str], channel: FromPath[str]
) -> Response[str]:
    """The letter of one channel."""
    if channel not in CHANNELS:
        raise NotFound(what="letter")
    return await _page(request, house, case_id, channel)


@get("/cases/{case_id:str}/letters/{channel:str}/letter.txt")
async def text(
    request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str], channel: FromPath[str]
) -> Response[Any]:
    """The same as a text file."""
    case, on = await _case(request, house, case_id)
    if channel not in CHANNELS or not is_told(case):
        raise NotFound(what="letter")
    headers = {**NO_STORE, "content-disposition": f'attachment; filename="{channel}.txt"'}
    written = compose(case, compute(case, on), channel).printed.encode()
    return Response(written, media_type="text/plain; charset=utf-8", headers=headers)


@get("/cases/{case_id:str}/letters/{channel:str}/letter.pdf")
async def paper(
    request: AnyRequest, house: NamedDependency[House], case_id: FromPath[str], channel: FromPath[str]
) -> Response[Any]:
    """The same as a PDF, as it stands in the pack."""
    case, on = await _case(request, house, case_id)
    if channel not in CHANNELS or not is_told(case) or not can_print():
        raise NotFound(what="letter")
    letter = compose(case, compute(case, on), channel)
    async with _PRESSES:
        printed = await asyncio.to_thread(_printed, letter, house.now_ms())
    headers = {**NO_STORE, "content-disposition": f'attachment; filename="{channel}.pdf"'}
    return Response(printed, media_type="application/pdf", headers=headers)


def can_print() -> bool:
    """Whether the packages that make PDFs are installed (`fairkey[cases]`)."""
    return all(find_spec(one) is not None for one in ("typst", "pylopdf_fonts_zh_cn"))


def _printed(letter: Letter, now_ms: int) -> bytes:
    from fairkey.casework.pack.making import letter_pdf  # noqa: PLC0415 - heavy

    return letter_pdf(letter, as_of_ms=now_ms)


async def _page(request: AnyRequest, house: House, case_id: str, asked: str) -> Response[str]:
    case, on = await _case(request, house, case_id)
    open_now = [one.channel for one in open_channels(case, on)]
    channel = asked or next(iter(open_now), "platform")
    listed = list(dict.fromkeys((*open_now, channel)))
    context = frame(request, house)
    demand = compute(case, on)
    return render(
        context,
        "cases/letters.html",
        case=case,
        path=f"/cases/{case_id}",
        letter=compose(case, demand, channel) if is_told(case) else None,
        short=summary(case, demand, CHANNELS[channel]),
        in_chinese=words_of("letters.in_chinese"),
        is_zh=lang_of(context) == "zh",
        channel=CHANNELS[channel],
        can_print=can_print(),
        listed=listed,
        channels=words.CHANNELS,
        problems=words.PROBLEMS,
    )


async def _case(request: AnyRequest, house: House, case_id: str) -> tuple[Case, date]:
    found = await house.cases.look(owner_of(request), case_id, CaseFolder.read)
    return found, datetime.fromtimestamp(house.now_ms() / 1000, CHINA).date()


HANDLERS: Final = (letters, letter, text, paper)
