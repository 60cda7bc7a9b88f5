"""Data of one person: what is kept and until when, and its erasing. An e-mail address travels in bodies only."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency

from fairkey.business.references import reference_of
from fairkey.engine.erasing import Counts, Person, erase_person
from fairkey.engine.house import House
from fairkey.engine.people import EmailIsInvalid
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.render import render

WHO_LENGTH_MAX: Final = 254


@get("/floor/erasure")
async def asked(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Whose data?"""
    return _page(request, house)


@post("/floor/erasure", status_code=200)
async def erasure(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """What is kept of this person; with `do=erase` what may go has gone. Looking and erasing are on the audit trail."""
    form = await request.form()
    who = str(form.get("who", "")).strip()[:WHO_LENGTH_MAX]
    person = await _find(house, who)
    if person is None:
        return _page(request, house, who=who, not_found=True)
    if form.get("do") != "erase":
        await house.people.audit.write(request.user, "person.looked_at")
        return _page(request, house, who=who, person=person)
    counts, restricted = await erase_person(house, person, restrict=bool(form.get("restrict")))
    await house.people.audit.write(
        request.user, "person.erased", detail={"histories": counts.histories, "restricted": restricted}
    )
    return _page(request, house, who=who, person=await _find(house, who), done=counts, restricted=restricted)


async def _find(house: House, who: str) -> Person | None:
    """By e-mail address or by account id."""
    try:
        if "@" in who:
            return await house.erasures.person_of(email=who)
        return await house.erasures.person_of(account_id=str(UUID(who)))
    except (EmailIsInvalid, ValueError):
        return None


def _page(
    request: AnyRequest,
    house: House,
    *,
    who: str = "",
    person: Person | None = None,
    not_found: bool = False,
    done: Counts | None = None,
    restricted: int = 0,
) -> Response[Any]:
    return render(
        frame(request, house),
        "operator/erasure.html",
        who=who,
        person=person,
        not_found=not_found,
        done=done,
        restricted=restricted,
        reference_of=reference_of,
    )


HANDLERS: Final = [asked, erasure]
