"""One served demo world and one browser for all tests that look at pages."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import asyncpg
import pytest
from playwright.sync_api import Browser, Page

from browser_town import Town, a_browser, served_town
from fairkey.adapters.postgres.embedded import EmbeddedPostgres

PATIENCE_MS = 15_000


@pytest.fixture(scope="session")
def town(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The demo world; tests share it and leave it changed, so each buys for itself."""
    made = threading.Thread(target=lambda: asyncio.run(_database(postgres.dsn("postgres"))))
    made.start()
    made.join()
    with served_town(postgres.dsn("pages_town"), tmp_path_factory.mktemp("town")) as town:
        yield town


async def _database(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute('CREATE DATABASE "pages_town" TEMPLATE "fairkey_template"')
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with a_browser() as browser:
        yield browser


@pytest.fixture
def visitor(chromium: Browser, town: Town) -> Iterator[Callable[..., Page]]:
    """Make visitors: each a browser of its own, at the store, speaking English unless told otherwise; `door` logs in.

    A page that breaks a script, or asks for what its policy forbids, fails the test.
    """
    contexts = []
    errors: list[str] = []

    def visit(
        door: str = "", *, locale: str = "en-GB", width: int = 1280, dark: bool = False, scripts: bool = True
    ) -> Page:
        context = chromium.new_context(
            locale=locale,
            java_script_enabled=scripts,
            base_url=town.address,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            timezone_id="Asia/Shanghai",
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
        if door:
            page.goto("/login")
            page.locator(f'form[action="/demo/enter/{door}"] button').click()
            page.wait_for_url(lambda url: "/login" not in url)
        else:
            page.goto("/")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert errors == []
