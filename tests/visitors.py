"""A browser without scripts for tests of pages: follows links and fills in forms that really stand on the page."""

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any

import httpx

from api_world import World


@dataclass
class Form:
    """A posting form: where it goes and the values it stands on the page with."""

    action: str
    values: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = given.get("method") == "post"
            if self._open:
                self.forms.append(Form(given["action"]))
        elif tag == "input" and self._open and "name" in given:
            chosen = given.get("type") not in {"radio", "checkbox"} or "checked" in given
            if chosen:
                self.forms[-1].values.setdefault(given["name"], given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "form"


@dataclass
class Visitor:
    """One person with one browser. `page` is what it shows; redirects are followed."""

    http: httpx.AsyncClient
    page: httpx.Response | None = None

    @property
    def text(self) -> str:
        """What the page says, unescaped and without markup."""
        assert self.page is not None
        main = self.page.text.partition("<main")[2].partition("</main>")[0]
        main = re.sub(r'<span class="money-(?:sign|rest)">([^<]*)</span>', r"\1", main)  # amounts are set in sizes
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())

    @property
    def html(self) -> str:
        """The page as it came."""
        assert self.page is not None
        return self.page.text

    @property
    def path(self) -> str:
        """Where the browser is."""
        assert self.page is not None
        return self.page.url.path

    @property
    def status(self) -> int:
        """The page's status."""
        assert self.page is not None
        return self.page.status_code

    def forms(self) -> list[Form]:
        """The posting forms on the page."""
        read = _Forms()
        read.feed(self.html)
        return read.forms

    async def go(self, path: str) -> "Visitor":
        """Open an address."""
        self.page = await self.http.get(path)
        return self

    async def press(self, ending: str, **fields: str) -> "Visitor":
        """Send the form whose action ends so, as it stands on the page, with these fields filled in."""
        form = next((form for form in self.forms() if form.action.endswith(ending)), None)
        assert form is not None, f"no form for {ending} on {self.path}: {[form.action for form in self.forms()]}"
        self.page = await self.http.post(form.action, data={**form.values, **fields})
        return self


def visitor(world: World, *, language: str = "en", address: str = "198.51.100.7") -> Visitor:
    """A new browser in front of a world."""
    app: Any = world.app
    transport = httpx.ASGITransport(app=app, client=(address, 4_711), raise_app_exceptions=True)
    http = httpx.AsyncClient(
        transport=transport,
        base_url=world.opened.house.settings.origin,
        follow_redirects=True,
        headers={"accept-language": language},
    )
    return Visitor(http)
