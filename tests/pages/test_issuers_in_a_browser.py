"""The operator and an issuer, in a browser: registered, another key, suspended; and what stands on a complaint."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Page, expect

from browser_town import Town
from fairkey.business.references import reference_of
from fairkey.proofs.attestations import public_key_of

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


def new_key() -> str:
    return public_key_of(Ed25519PrivateKey.generate())


def test_an_issuer_from_registration_to_suspension(visitor: Visit) -> None:
    page = visitor("operator")
    page.goto("/floor/issuers")
    form = page.locator('form[action="/floor/issuers"]')
    form.get_by_label("Name").fill("Paper & Sons")
    form.get_by_label("Contact").fill("paper@example.com")
    form.get_by_label("Public key").fill("not a key")
    form.get_by_label("Speaks for").fill("Paper\nInk")
    form.get_by_role("button", name="Register").click()
    expect(page.get_by_text("an Ed25519 key has 64 characters")).to_be_visible()
    expect(form.get_by_label("Name")).to_have_value("Paper & Sons")
    form.get_by_label("Public key").fill(new_key())
    form.get_by_role("button", name="Register").click()

    card = page.locator("section.card", has=page.get_by_role("heading", name="Paper & Sons"))
    expect(card.get_by_text("Word counts")).to_be_visible()
    second = new_key()
    card.get_by_text("Another key", exact=True).click()
    card.get_by_label("New public key").fill(second)
    card.get_by_role("button", name="Enter this key").click()
    expect(card.get_by_text(second)).to_be_visible()
    expect(card.get_by_text("counts until")).to_be_visible()

    card.get_by_text("Suspend", exact=True).click()
    card.get_by_label("Reason").fill("signs what is not so")
    card.get_by_role("button", name="Suspend this issuer").click()
    expect(card.get_by_text("signs what is not so")).to_be_visible()


def contested(town: Town) -> list[str]:
    """The numbers of all orders whose merchant disagreed; other tests of the town may have let their time run out."""

    async def found() -> list[str]:
        rows = await town.opened.pool.fetch("SELECT shop_id, stream_id FROM events WHERE kind = 'dispute.answered'")
        return [
            reference_of(await town.opened.house.numbers.number_for(str(row["shop_id"])), str(row["stream_id"]))
            for row in rows
        ]

    return town.run(found())


def test_what_the_issuer_said_stands_on_a_contested_complaint(visitor: Visit, town: Town) -> None:
    page = visitor("operator")
    texts = []
    for reference in contested(town):
        page.goto(f"/floor/complaints/{reference}")
        texts.append(page.locator("main").inner_text())
    heard = [text for text in texts if "What the issuer says" in text]
    assert heard
    assert all("signed by the issuer" in text for text in heard)
    assert any("contradicts" in text for text in heard)
