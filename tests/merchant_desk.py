"""A merchant at his desk: a browser that is logged in and sends the forms of the pages it was shown."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx

from api_world import World
from fairkey.engine.people import Role

PASSWORD = "correct horse battery"
Fields = dict[str, str | list[str]]


@dataclass
class Desk:
    """One person's browser."""

    world: World
    http: httpx.AsyncClient
    account_id: str

    async def show(self, path: str, *, lang: str = "en") -> httpx.Response:
        """A page."""
        return await self.http.get(f"{path}{'&' if '?' in path else '?'}lang={lang}")

    async def send(self, page: str, action: str, fields: Fields | None = None, **more: str) -> httpx.Response:
        """Fill in a form of `page` and send it to `action`; the answer as it is, redirects not followed."""
        token = token_in((await self.show(page)).text)
        return await self.http.post(action, data={"_csrf_token": token, **(fields or {}), **more})

    async def upload(
        self, fields: dict[str, str], *, file: tuple[str, bytes] | None = None, invoice: bytes = b""
    ) -> httpx.Response:
        """Send the form of an import."""
        shown = (await self.show("/desk/batches/import")).text
        files: list[tuple[str, tuple[str | None, bytes]]] = [("_csrf_token", (None, token_in(shown).encode()))]
        told = {"import_id": value_in(shown, "import_id"), "source": "typed", **fields}
        files += [(name, (None, value.encode())) for name, value in told.items()]
        files += [("invoice", ("invoice.pdf" if invoice else "", invoice))]
        files += [("file", file or ("", b""))]
        return await self.http.post("/desk/batches/import", files=files)


def token_in(page: str) -> str:
    """The token of the first form."""
    found = re.search(r'name="_csrf_token" value="([^"]+)"', page)
    assert found is not None, page[:500]
    return found.group(1)


def value_in(page: str, name: str) -> str:
    """The value of a field on a page."""
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', page)
    assert found is not None, name
    return unescape(found.group(1))


async def account(world: World, email: str) -> str:
    """A registered account."""
    registration = await world.opened.house.people.accounts.register(email=email, password=PASSWORD)
    assert registration.account is not None
    return registration.account.account_id


@asynccontextmanager
async def browser(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A fresh browser."""
    origin = world.opened.house.settings.origin
    app: Any = world.app  # the two libraries name the same calling convention differently
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=origin) as client:
        yield client


@asynccontextmanager
async def at_the_desk(
    world: World, email: str, role: Role | None = Role.OWNER, shop_id: str = ""
) -> AsyncIterator[Desk]:
    """Somebody with an account, and with a role in the shop unless `role` is none."""
    account_id = await account(world, email)
    if role is not None:
        await world.opened.house.people.staff.add(shop_id or world.shop_id, account_id, role)
    async with browser(world) as client:
        desk = Desk(world, client, account_id)
        answer = await desk.send("/login", "/login", email=email, password=PASSWORD)
        assert answer.status_code == 303, answer.text
        yield desk
