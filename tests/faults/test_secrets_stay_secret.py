"""Plaintext codes and people's addresses of a whole demo world: looked for everywhere, found only where they belong.

Everywhere is: a dump of the database, every log line at debug level, every mail, and every page that each role can
reach by following links.
"""

import base64
import email
import email.policy
import logging
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from browser_town import Town, served_town
from fairkey.business.codes import CodeStage
from fairkey.business.references import read_reference, reference_of
from fairkey.web.account.entrance import DEMO_DOORS

pytestmark = pytest.mark.slow

LINK = re.compile(r'\b(?:href|data-live-src)="([^"#]+)')
TOKEN = re.compile(r'name="_csrf_token" value="([^"]+)"')
STREAMS = re.compile(r"/live(?:\?|$)")  # never end; what they say is in the page
PAGES_MAX = 130
WORD = re.compile(r"[0-9A-Za-z]{5}-[0-9A-Za-z]{5}-[0-9A-Za-z]{5}")
ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+")
HEX = re.compile(r"[0-9a-f]{30,}")
BASE64 = re.compile(r"[0-9A-Za-z+/]{24,}")


class Secrets:
    """Finds codes and addresses of a world in a text."""

    def __init__(self, town: Town) -> None:
        self.codes = frozenset(town.world.codes)
        self.contacts = frozenset(town.world.contacts)

    def codes_in(self, text: str) -> set[str]:
        return self.codes & set(WORD.findall(text))

    def contacts_in(self, text: str) -> set[str]:
        return self.contacts & {found.rstrip(".") for found in ADDRESS.findall(text)}

    def in_dump(self, dump: str) -> set[str]:
        """Also written as bytes: in hexadecimal, or in base64 at any offset."""
        texts = [dump]
        texts += [bytes.fromhex(one[: len(one) // 2 * 2]).decode("latin-1") for one in set(HEX.findall(dump))]
        for one in set(BASE64.findall(dump)):
            texts += [base64.b64decode(one[skip:][: (len(one) - skip) // 4 * 4]).decode("latin-1") for skip in range(4)]
        together = "\n".join(texts)
        return self.codes_in(together) | self.contacts_in(together)


@contextmanager
def a_town(database_url: str, folder: Path) -> Iterator[Town]:
    with served_town(database_url, folder, share=0.1) as town:
        yield town


@pytest.fixture(scope="module")
def log() -> Iterator[list[str]]:
    """Everything that is logged, at the finest level, while the module's town lives."""
    lines: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not record.name.startswith(("httpx", "httpcore")):  # our own crawling
                lines.append(self.format(record))

    keeping = Keeping(logging.DEBUG)
    keeping.setFormatter(logging.Formatter("%(name)s %(message)s %(args)s"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(keeping)
    root.setLevel(logging.DEBUG)
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    yield lines
    root.removeHandler(keeping)
    root.setLevel(before)
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.NOTSET)


def test_codes_and_addresses_are_only_where_they_belong(database_url: str, tmp_path: Path, log: list[str]) -> None:
    with a_town(database_url, tmp_path) as town:
        secrets = Secrets(town)
        assert len(secrets.codes) > 1_000
        seen = {door: crawl(town, door) for door in ["", *DEMO_DOORS]}
        check_pages(town, secrets, seen)
        check_exports(town, secrets)
        check_mails(town, secrets)
        assert secrets.in_dump(dump_of(database_url)) == set()
        provoke(town, min(secrets.codes), min(secrets.contacts))
        lines = "\n".join(log)
        assert "fairkey." in lines, "the log is being captured"
        assert secrets.in_dump(lines) == set()
        order_secrets = {town.opened.house.keys.order_secret(order_id) for _, order_id in orders_of_buyer(town)}
        assert {secret for secret in order_secrets if secret in lines} == set()


def check_pages(town: Town, secrets: Secrets, seen: dict[str, dict[str, str]]) -> None:
    """Codes: opened ones on the buyer's own order. Addresses: one's own, on pages of one's own account and orders."""
    mine = opened_codes(town)
    found = 0
    for door, pages in seen.items():
        assert len(pages) > (5 if not door else 10), door
        own = {DEMO_DOORS[door]} if door else set()
        own |= {shop.plan.contact for shop in town.world.shops.values() if shop.plan.door == door}
        for path, text in pages.items():
            order = path.partition("/o/")[2].partition("/")[0].partition("?")[0] if door == "buyer" else ""
            codes = secrets.codes_in(text)
            assert codes <= mine.get(order, set()), (door, path, codes)
            found += len(codes)
            assert secrets.contacts_in(text) <= own, (door, path, secrets.contacts_in(text) - own)
    assert found, "the crawl reached the buyer's opened codes"
    assert any("/desk/orders/" in path for path in seen["merchant"])
    assert any("/floor/complaints/" in path for path in seen["operator"])


def check_exports(town: Town, secrets: Secrets) -> None:
    """An owner gets what is unsold of his own batch, nobody else's."""
    with client_of(town, "merchant") as client:
        batches = set(re.findall(r'href="(/desk/batches/[0-9a-f-]{36})"', client.get("/desk/batches").text))
        assert batches
        page = client.get(min(batches))
        given = client.post(f"{page.url.path}/unsold.txt", data={"_csrf_token": token_of(page.text)})
        assert given.status_code == 200
        assert secrets.codes_in(given.text)
    with client_of(town, "crooked") as client:
        token = token_of(client.get("/desk/settings").text)
        refused = client.post(f"{page.url.path}/unsold.txt", data={"_csrf_token": token})
        assert refused.status_code == 404
        assert not secrets.codes_in(refused.text)


def check_mails(town: Town, secrets: Secrets) -> None:
    letters = sorted((town.folder / "mails").glob("*.eml"))
    assert len(letters) > 50
    for path in letters:
        letter = email.message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=email.policy.default)
        text = "\n".join(
            [f"{name}: {value}" for name, value in letter.items() if name.lower() != "to"]
            + [str(part.get_content()) for part in letter.walk() if part.get_content_maintype() == "text"]
        )
        assert secrets.codes_in(text) == set(), path.name
        assert secrets.contacts_in(text) == set(), path.name


def provoke(town: Town, code: str, contact: str) -> None:
    """Make the house say something: requests that go wrong, with secrets in every place where people put them."""
    with client_of(town, "") as client:
        notice = f'{{"event":"payment","reference":"{code}","subject":"{contact}"}}'
        assert client.post("/callbacks/sandbox", content=notice).status_code >= 400
        assert client.get(f"/o/{code}?s={contact}").status_code >= 400
        form = {"_csrf_token": token_of(client.get("/login").text), "email": contact, "password": code}
        assert client.post("/login", data=form).status_code >= 400
    logging.getLogger("fairkey.tests").debug("provoked")


def crawl(town: Town, door: str) -> dict[str, str]:
    """Every page that somebody behind this door (or nobody in particular) reaches by links."""
    pages: dict[str, str] = {}
    with client_of(town, door) as client:
        waiting = ["/", "/login", "/account", "/orders", "/desk", "/floor", "/api/openapi.json", "/nothing-here"]
        while waiting and len(pages) < PAGES_MAX:
            path = waiting.pop(0)
            if path in pages or STREAMS.search(path):
                continue
            answer = client.get(path, follow_redirects=True)
            assert answer.status_code < 500, (door, path)
            pages[path] = answer.text
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            for link in LINK.findall(answer.text):
                target = urlsplit(urljoin(str(answer.url), link.replace("&amp;", "&")))
                if f"{target.scheme}://{target.netloc}" == town.address and not target.path.startswith("/static/"):
                    waiting.append(target.path + (f"?{target.query}" if target.query else ""))
    return pages


@contextmanager
def client_of(town: Town, door: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=town.address, timeout=30, trust_env=False) as client:
        if door:
            token = token_of(client.get("/login").text)
            entered = client.post(f"/demo/enter/{door}", data={"_csrf_token": token})
            assert entered.status_code == 303, entered.text[:500]
        yield client


def token_of(page: str) -> str:
    found = TOKEN.search(page)
    assert found is not None, page[:500]
    return found.group(1)


def orders_of_buyer(town: Town) -> list[tuple[str, str]]:
    book = town.opened.house.questions.order_book
    lines = town.run(book.of_account(town.world.accounts["buyer"], before_ms=None, lines_max=100))
    return [(line.shop_id, line.order_id) for line in lines]


def opened_codes(town: Town) -> dict[str, set[str]]:
    """Reference -> plaintext of the codes that the account behind the buyer's door has opened."""
    house = town.opened.house
    opened: dict[str, set[str]] = {}
    for shop_id, order_id in orders_of_buyer(town):
        record = town.run(house.questions.order_book.find(shop_id, order_id))
        assert record is not None
        ids = [one.code_id for one in record.file.codes.held if one.stage is CodeStage.REVEALED]
        texts = town.run(house.vault.open_codes(shop_id, ids)) if ids else {}
        reference = reference_of(record.shop_no, order_id)
        assert read_reference(reference)
        opened[reference] = {one.text for one in texts.values()}
    assert any(opened.values())
    return opened


def dump_of(database_url: str) -> str:
    from fairkey.adapters.postgres import embedded

    program = embedded.programs_folder() / "pg_dump"
    done = subprocess.run([program, "--dbname", database_url], check=True, capture_output=True)
    text = done.stdout.decode("utf-8", "replace")
    assert "COPY public.vault" in text
    return text
