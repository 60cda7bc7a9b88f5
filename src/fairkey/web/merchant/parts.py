"""What every page of the desk begins with: the acting shop, cursors, errors beside fields, files for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from litestar import Response
from litestar.response import Redirect

from fairkey.business.askers import Asker
from fairkey.business.basics import Command
from fairkey.engine.answers import Answer
from fairkey.engine.attendance import attended
from fairkey.engine.house import House
from fairkey.gates.visits import visit_of
from fairkey.read_tables.shop_desk import Place
from fairkey.web.frame import AnyRequest, frame, refused, status_of
from fairkey.web.i18n import Locale, texts_of
from fairkey.web.i18n import marked as _
from fairkey.web.refusals import field_problem
from fairkey.web.render import PageContext, render, view_of

LINES_MAX: Final = 30
FAR_AHEAD_MS: Final = 2**45
DIGITS_MAX: Final = 15
ID_CHARS: Final = 36

DONE: Final[Mapping[str, str]] = {
    "saved": _("Saved."),
    "draft": _("The draft is kept. Nobody but your shop reads it."),
    "filed": _("Sent. The reviewers write to you with reasons."),
    "return_asked": _("Your request was recorded. A person looks at it within 72 hours."),
    "appealed": _("Your appeal was recorded. A person answers it."),
    "published": _("Published: this revision is what new orders are placed on."),
    "same": _("Nothing was different, so no new revision was made."),
    "withdrawn": _("Taken off sale. Orders already placed go on."),
    "resumed": _("On sale again, as a new revision with the same terms."),
    "batch-review-asked": _("Your request was recorded. A person answers within 72 hours."),
    "taken-out": _("The unsold codes are off sale. You can download them below."),
    "delivered": _("Delivered. The buyer has been told."),
    "in-part": _("Taken. The order still waits for the missing codes."),
    "accepted": _("Agreed. The money goes back to the buyer by itself."),
    "contested": _("Your answer was recorded. The published standard decides."),
    "message_sent": _("Sent. The buyer reads it on the order’s page and gets a mail."),
    "coupon": _("The coupon is valid from now on."),
    "coupon-ended": _("The coupon is no longer valid. Orders placed with it keep their price."),
    "payout": _("Requested. The payment provider confirms it here."),
    "added": _("Added."),
    "removed": _("Removed."),
    "revoked": _("Revoked. Programs with this key are refused from now on."),
    "opened": _("Your shop is open."),
    "switched": _("You now work for another shop."),
}
"""What a page says after a form was done, by `?done=`."""


def shop_id_of(request: AnyRequest) -> str:
    """The shop in whose name this request acts; the gate has let nobody else in."""
    shop_id = visit_of(request.scope).shop_id
    if shop_id is None:
        raise TypeError("only routes with a shop:* permission act for a shop")
    return shop_id


def is_owner(request: AnyRequest) -> bool:
    """Whether an owner of the acting shop looks."""
    visit = visit_of(request.scope)
    return visit.shop_id is not None and visit.actor.owns(visit.shop_id)


def by_account(request: AnyRequest) -> str:
    """Who did it, as imports note it."""
    return visit_of(request.scope).actor.name


def desk_frame(request: AnyRequest, house: House) -> PageContext:
    """The frame, saying what was just done."""
    context = frame(request, house)
    done = request.query_params.get("done", "")
    return context.noticing(texts_of(context.locale).gettext(DONE[done])) if done in DONE else context


async def page(
    request: AnyRequest,
    house: House,
    template: str,
    *,
    refusal: str = "",
    details: Mapping[str, object] | None = None,
    errors: Mapping[str, str] | None = None,
    **values: object,
) -> Response[str]:
    """A page of the desk: `shop` is the acting one, `errors` stand beside their fields, a refusal above."""
    context = desk_frame(request, house)
    await attended(house, shop_id_of(request))
    told = details or {}
    wrong = dict(errors or {})
    if refusal == "FieldIsInvalid":
        wrong.setdefault(str(told.get("field")), field_problem(str(told.get("why")), context.locale))
    status_code = status_of(refusal) if refusal else status_of("FieldIsInvalid") if wrong else 200
    return render(
        context,
        f"merchant/{template}",
        status_code=status_code,
        shop=await house.questions.storefront.shop(shop_id_of(request)),
        several_shops=len(visit_of(request.scope).actor.shop_roles) > 1,
        is_owner=is_owner(request),
        errors=wrong,
        refusal=view_of(context, refusal, told) if refusal and refusal != "FieldIsInvalid" else None,
        **values,
    )


async def act(request: AnyRequest, house: House, command: Command, *, back: str, done: str) -> Response[Any]:
    """Ask as the merchant, then go back; a refusal becomes a page that leads there."""
    answer = await house.ask(Asker.MERCHANT, command)
    return after(request, house, answer, back=back, done=done)


def after(request: AnyRequest, house: House, answer: Answer, *, back: str, done: str) -> Response[Any]:
    """Where one comes after a command."""
    if answer.refusal:
        return refused(request, house, answer.refusal, answer.details, back=back)
    return to(back, done)


def to(path: str, done: str = "") -> Redirect:
    """Back to a page, which says what was done."""
    return Redirect(f"{path}{'&' if '?' in path else '?'}done={done}" if done else path, status_code=303)


def not_here(request: AnyRequest, house: House, what: str, back: str) -> Response[str]:
    """There is no such thing in this shop, or it is another's: the same answer."""
    return refused(request, house, "NotFound", {"what": what}, back=back)


def id_of(text: str | None) -> str | None:
    """A UUID in its canonical form, or `None`."""
    try:
        return str(UUID(text or "")) if len(text or "") <= ID_CHARS else None
    except ValueError:
        return None


def place_text(place: Place | None) -> str:
    """A place in a list as it stands in an address."""
    return f"{place.at_ms}.{place.id}" if place else ""


def place_of(text: str | None) -> Place | None:
    """The place in an address; `None` for anything else."""
    at, _dot, id_text = (text or "").partition(".")
    found = id_of(id_text)
    if not (found and at.isascii() and at.isdigit() and len(at) <= DIGITS_MAX) or int(at) > FAR_AHEAD_MS:
        return None
    return Place(int(at), found)


def whys(wrong: Mapping[str, str], locale: Locale) -> dict[str, str]:
    """Reasons (`why` of a `FieldIsInvalid`) as sentences beside their fields."""
    return {name: field_problem(why, locale) for name, why in wrong.items()}


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response[bytes]:
    """A table for spreadsheets: UTF-8 with a byte order mark; no cell can be taken for a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return Response(
        ("\ufeff" + text.getvalue()).encode(),
        media_type="text/csv; charset=utf-8",
        headers=attachment(name),
    )


def attachment(name: str) -> dict[str, str]:
    """Headers of a file to be saved. `name` is plain ASCII of our own making."""
    return {"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"}


def _cell(value: object) -> str:
    text = str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} and not isinstance(value, int) else text
