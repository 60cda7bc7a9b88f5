"""Whoever must sign in comes back to where he was going; foreign addresses lead home."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api_world import World, a_world
from pages.test_operator_pages import PASSWORD, browser, submit

EMAIL = "cheated@example.com"


@pytest.fixture
async def world(database_url: str, state_dir: Path) -> AsyncIterator[World]:
    async with a_world(database_url, state_dir) as world:
        assert (await world.opened.house.people.accounts.register(email=EMAIL, password=PASSWORD)).account is not None
        yield world


@pytest.fixture
async def guest(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(world) as client:
        yield client


@pytest.mark.parametrize("path", ["/cases", "/cases/new", "/desk/open?from=sell", "/account"])
async def test_back_to_where_one_was_going(path: str, guest: httpx.AsyncClient) -> None:
    asked = await guest.get(path)
    assert asked.status_code == 401
    button = re.search(r'href="(/login\?back=[^"]+)">([^<]+)<', asked.text)
    assert button is not None
    assert button.group(2) == "登录"
    address = button.group(1).replace("&amp;", "&")
    hidden = re.search(r'name="back" value="([^"]+)"', (await guest.get(address)).text)
    assert hidden is not None
    done = await submit(guest, address, "/login", email=EMAIL, password=PASSWORD, back=hidden.group(1))
    assert (done.status_code, done.headers["location"]) == (303, path)
    assert (await guest.get(path)).status_code == 200


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"])
async def test_never_to_another_site(back: str, guest: httpx.AsyncClient) -> None:
    done = await submit(guest, f"/login?back={back}", "/login", email=EMAIL, password=PASSWORD, back=back)
    assert done.headers["location"] == "/"


async def test_pages_say_who_rules_and_where_cases_begin(guest: httpx.AsyncClient) -> None:
    about = (await guest.get("/about")).text
    assert "平台人员不裁决" in about
    assert 'href="/cases"' in about
    home = (await guest.get("/")).text
    assert 'href="/cases"' in home
    assert 'href="/panels"' in home
