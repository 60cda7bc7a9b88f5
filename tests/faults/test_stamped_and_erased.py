"""Over a real log: a receipt carries trusted time that a stranger can check, and outlives its buyer's erasure."""

from pathlib import Path

from api_world import BUYER, a_world
from erasure_world import a_past
from fairkey.app.trusted_time import stamper
from fairkey.business.basics import DAY_MS, Stream
from fairkey.business.references import read_reference
from fairkey.engine.erasing import erase_person
from fairkey.proofs.openssl_ts import second_opinion
from fairkey.proofs.receipt_tokens import check_tokens
from fairkey.proofs.receipts import read_receipt
from fairkey.proofs.timestamps import check_token, read_roots
from receipt_world import policy, write_log
from tsa_world import LocalTsa, needs_openssl, served

CONTACT = frozenset({"contact"})


@needs_openssl
async def test_a_receipt_carries_trusted_time(database_url: str, tmp_path: Path) -> None:
    one, two = LocalTsa(tmp_path / "one", name="One", with_chain=True), LocalTsa(tmp_path / "two", name="Two")
    pem = tmp_path / "roots.pem"
    pem.write_bytes(one.root_pem + two.root_pem)
    with served(lambda body: (200, one.reply(body))) as url, served(lambda body: (200, two.reply(body))) as other:
        more = {"FAIRKEY_TSA_URLS": f"first={url}, second={other}", "FAIRKEY_TSA_ROOTS": str(pem)}
        async with a_world(database_url, tmp_path / "state", codes=2, **more) as world:
            placed = await world.paid(contact=BUYER)
            read = read_reference(placed["reference"])
            assert read is not None
            stream, log = Stream(world.shop_id, "order", read[1]), world.opened.house.log
            await write_log(world.opened, database_url)
            assert read_receipt(await log.receipt(stream, 1) or b"").tokens == ()
            async with stamper(world.opened) as stamping:
                assert await stamping.step() == 2
            stamped_size = (await log.status()).published_size
            await world.place()
            await write_log(world.opened, database_url)
            receipt = read_receipt(await log.receipt(stream, 1) or b"")
            policy_ = await policy(world.opened)
    # From here on a stranger: the receipt's bytes, the policy, the roots.
    judged = receipt.check_proof(policy_)
    assert judged.checkpoint.size == stamped_size, "to the newest stamped checkpoint, not to the newest"
    text = judged.checkpoint.text()
    assert [name for name, _ in receipt.tokens] == ["first", "second"]
    roots = read_roots(pem.read_bytes())
    for (_, token), tsa in zip(receipt.tokens, ("CN=One Unit", "CN=Two Unit"), strict=True):
        stamp = check_token(token, text, roots)
        assert stamp.tsa == tsa
        assert second_opinion(token, text, roots, at_ms=stamp.gen_time_ms).holds is True
    # He trusts one authority only; and then one whose token is over something else.
    first, second = check_tokens(receipt, judged.checkpoint, read_roots(one.root_pem))
    assert first.stamp is not None
    assert (second.name, second.stamp) == ("second", None)
    assert "pinned root" in second.refused
    other_size = judged.checkpoint._replace(size=judged.checkpoint.size + 1)
    assert {one.refused for one in check_tokens(receipt, other_size, roots)} == {
        "the token is over other bytes than these"
    }


async def test_receipts_outlive_the_erasure_of_their_buyer(database_url: str, tmp_path: Path) -> None:
    async with a_past(database_url, tmp_path / "state") as past:
        await past.buy("hers", BUYER, "level 80 mage")
        await past.complete("hers")
        await write_log(past.opened, database_url)
        stream, log = Stream(past.shop_id, "order", past.orders["hers"]), past.house.log
        versions = range(1, len(await log.places(stream)) + 1)
        before = [await log.receipt(stream, version, disclose=CONTACT) or b"" for version in versions]
        past.clock.ms += 4 * 366 * DAY_MS
        await erase_person(past.house, await past.person(BUYER))
        await write_log(past.opened, database_url)
        after = [await log.receipt(stream, version, disclose=CONTACT) or b"" for version in versions]
        policy_ = await policy(past.opened)
        for old, new in zip(map(read_receipt, before), map(read_receipt, after), strict=True):
            for receipt in (old, new):
                receipt.check_proof(policy_)
                assert receipt.check_chain() == receipt.facts().version - 1
            assert new.entry == old.entry
            assert new.check_disclosures() == []
        assert [one.value for one in read_receipt(before[0]).check_disclosures()] == [BUYER]
        status = await log.status()
        assert status.refusal == ""
        assert status.behind == 0
