"""What people see: the cashier where a buyer pays, and the admin page that shows what was told and how it went."""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body
from litestar.response import Redirect
from litestar.static_files import create_static_files_router

from sandbox_provider.book import CollectionTerms, Refused
from sandbox_provider.control import only_from_here
from sandbox_provider.provider import Provider

LOOK = Path(__file__).parent / "look"
CHINA = datetime.timezone(datetime.timedelta(hours=8))
STATES = {
    "waiting": ("等待发送", "waiting"),
    "delivered": ("已送达", "delivered"),
    "lost": ("已丢弃", "lost"),
    "given_up": ("已放弃", "given up"),
    "nowhere": ("无地址", "no address"),
}


def yuan(amount_fen: int) -> str:
    """Fen as yuan with two digits."""
    return f"{'-' if amount_fen < 0 else ''}{abs(amount_fen) // 100:,}.{abs(amount_fen) % 100:02d}"


def china_time(at_ms: int) -> str:
    """A moment as people in China write it."""
    return datetime.datetime.fromtimestamp(at_ms / 1000, CHINA).strftime("%Y-%m-%d %H:%M:%S")


class Pages:
    """Renders the templates with a content security policy that allows nothing foreign and no inline script."""

    def __init__(self, provider: Provider) -> None:
        """Speak for this provider."""
        self.provider = provider
        self.templates = Environment(loader=FileSystemLoader(LOOK), autoescape=True, undefined=StrictUndefined)
        self.templates.filters |= {"yuan": yuan, "china_time": china_time}

    def show(
        self, template: str, values: Mapping[str, object], *, form_target: str = "", status: int = 200
    ) -> Response[str]:
        """One page; `form_target` is an origin a form may end up at after a redirect."""
        policy = (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
            f" form-action 'self' {form_target}; base-uri 'none'; frame-ancestors 'none'"
        )
        return Response(
            content=self.templates.get_template(template).render(**values),
            status_code=status,
            media_type="text/html; charset=utf-8",
            headers={
                "content-security-policy": policy,
                "referrer-policy": "no-referrer",
                "x-content-type-options": "nosniff",
                "cache-control": "no-store",
            },
        )

    def cashier(self, reference: str, page_url: str) -> Response[str]:
        """The page of one collection: to be paid, paid, or past its time."""
        terms = self.provider.book.collection(reference)
        if terms is None:
            return self.show("unknown.html", {"reference": reference[:64]}, status=404)
        paid = self.provider.book.payments_of(reference)
        now_ms = self.provider.clock.now_ms()
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(terms.return_url))
        return self.show(
            "cashier.html",
            {
                "terms": terms,
                "paid": paid,
                "left_s": max(terms.expires_at_ms - now_ms, 0) // 1000,
                "expired": now_ms >= terms.expires_at_ms,
                "qr": segno.make(page_url, error="m").svg_data_uri(scale=4, border=2),
            },
            form_target=origin,
        )


Ways = Literal["exact", "short", "over", "twice", "dollars"]


def pay_in_a_way(provider: Provider, terms: CollectionTerms, way: str) -> None:
    """What the buyer chose on the cashier page: the amount, or one of the mistakes people make."""
    match way:
        case "short":
            provider.pay(terms.reference, max(terms.amount_fen - 100, 1))
        case "over":
            provider.pay(terms.reference, terms.amount_fen + 100)
        case "twice":
            with provider.state.transaction():
                provider.pay(terms.reference, terms.amount_fen)
                provider.pay(terms.reference, terms.amount_fen)
        case "dollars":
            provider.pay(terms.reference, terms.amount_fen, "USD")
        case _:
            provider.pay(terms.reference)


def page_routes(provider: Provider) -> list[Any]:
    """Cashier, admin, and what they look like."""
    pages = Pages(provider)

    @get("/cashier/{reference:str}")
    async def cashier(request: Request[Any, Any, Any], reference: str) -> Response[str]:
        return pages.cashier(reference, str(request.url))

    @post("/cashier/{reference:str}")
    async def pay(
        reference: str, data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
    ) -> Response[Any]:
        terms = provider.book.collection(reference)
        if terms is None:
            return pages.show("unknown.html", {"reference": reference[:64]}, status=404)
        # Pressing the button again, or reloading, must not pay again; nor does a page left open past its time.
        if not provider.book.payments_of(reference):
            if provider.clock.now_ms() >= terms.expires_at_ms:
                return Redirect(f"/cashier/{reference}", status_code=303)
            pay_in_a_way(provider, terms, data.get("way", "exact"))
        return Redirect(terms.return_url, status_code=303)

    @get(["/", "/cashier"], guards=[only_from_here])
    async def recent() -> Response[str]:
        rows = [
            (terms, sum(payment.amount_fen for payment in provider.book.payments_of(terms.reference)))
            for terms in provider.book.recent_collections(50)
        ]
        return pages.show("recent.html", {"rows": rows, "now_ms": provider.clock.now_ms()})

    @get("/admin", guards=[only_from_here])
    async def admin() -> Response[str]:
        return pages.show(
            "admin.html",
            {
                "balances": provider.book.balances(),
                "differences": provider.book.differences(),
                "rules": [
                    (number, provider.faults.struck()[number], rule) for number, rule in provider.faults.rules.items()
                ],
                "notices": provider.notices.recent(60),
                "states": STATES,
            },
        )

    @post("/admin/notices/{notice_id:int}/send-again", guards=[only_from_here])
    async def send_again(notice_id: int) -> Redirect:
        if not provider.notices.send_again(notice_id):
            raise Refused(404, "notice_is_unknown", "no such notification, or nowhere to send it")
        return Redirect("/admin", status_code=303)

    routes: list[HTTPRouteHandler] = [cashier, pay, recent, admin, send_again]
    static = create_static_files_router(path="/look", directories=[LOOK / "static"], include_in_schema=False)
    return [*routes, static]
