"""What web, API and provider callbacks have in common: steps around a command that are not themselves rules.

Making ids, pseudonyms and references, opening codes after the fact is durable, turning notices into commands.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from fairkey.business import batches, codes, deposits, orders
from fairkey.business.askers import Asker
from fairkey.business.basics import CURRENCY, Command
from fairkey.business.listings import decode_terms
from fairkey.business.references import read_reference, reference_of
from fairkey.business.reports import report_of, report_of_instruction
from fairkey.effects.ports import (
    Collection,
    InstructionNotice,
    Notice,
    PaymentNotice,
    ProviderIsUnreachable,
    ProviderRefused,
)
from fairkey.effects.queue import read_key

from . import attesting
from .answers import Answer
from .house import House, NoPaymentProvider
from .vault_port import ImportIsClosed, ImportProgress, ImportRecord, OpenedCode, Staged, TypedCodesAreRefused

SUBJECT_MAX = 200

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """What a buyer asks for. `address` is the caller's network; `account_id` is empty for guests."""

    shop_id: str
    listing_id: str
    revision: int
    quantity: int
    contact: str
    coupon_code: str = ""
    account_id: str = ""
    address: str = ""
    locale: str = ""  # a language tag: in it mails are written


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An order that was placed, or the refusal in `answer`; then the other fields are empty."""

    answer: Answer
    shop_id: str = ""
    order_id: str = ""
    reference: str = ""
    secret: str = ""


async def place(house: House, wish: Placing, *, command_id: str | None = None) -> Placed:
    """Place an order. A repeat with the same `command_id` and the same wish gets the first order again."""
    if not house.providers:
        return Placed(answer=Answer(refusal=NoPaymentProvider.__name__))
    contact = wish.contact.strip()
    body = "\x00".join(
        (
            wish.shop_id,
            wish.listing_id,
            str(wish.revision),
            str(wish.quantity),
            contact,
            wish.coupon_code,
            wish.account_id,
        )
    )
    coupon_code = wish.coupon_code.strip()
    command = orders.PlaceOrder(
        shop_id=wish.shop_id,
        order_id=house.new_id(),
        listing_id=wish.listing_id,
        revision=wish.revision,
        quantity=wish.quantity,
        contact=contact,
        buyer=house.keys.buyer_pseudonym(wish.shop_id, contact),
        buyer_key=house.keys.buyer_key(contact).hex(),
        address_key=house.keys.fingerprint("sessions", wish.address.encode()).hex()[:32] if wish.address else "",
        account_id=wish.account_id,
        coupon_code=coupon_code,
        locale=wish.locale,
        coupon_id=coupon_id_of(wish.shop_id, coupon_code) if coupon_code else "",
    )
    # Keyed, because it is kept: a plain hash of a known listing and a guessed address would confirm the guess.
    body_hash = house.keys.fingerprint("sessions", b"order: " + body.encode())
    answer = await house.ask(Asker.BUYER, command, command_id=command_id, body_hash=body_hash)
    if answer.refusal or answer.stream is None:
        return Placed(answer=answer)
    order_id = answer.stream.id
    shop_no = await house.numbers.number_for(wish.shop_id)
    return Placed(
        answer=answer,
        shop_id=wish.shop_id,
        order_id=order_id,
        reference=reference_of(shop_no, order_id),
        secret=house.keys.order_secret(order_id),
    )


def coupon_id_of(shop_id: str, code: str) -> str:
    """A coupon is found by its word: case does not matter."""
    return str(uuid5(NAMESPACE_URL, f"fairkey:coupon:{shop_id}:{code.strip().upper()}"))


async def locate(house: House, reference: str) -> tuple[str, str] | None:
    """(shop id, order id) of a reference, whether or not such an order exists; `None` if it cannot be one."""
    read = read_reference(reference)
    if read is None:
        return None
    shop_id = await house.numbers.shop_of(read[0])
    return (shop_id, read[1]) if shop_id else None


async def collect(house: House, *, shop_id: str, order_id: str, return_url: str) -> Collection:
    """Open an order's collection at the provider, or find it opened before.

    Raises `ProviderIsUnreachable`, `ProviderRefused`, `LookupError`.
    """
    record = await house.questions.order_book.find(shop_id, order_id)
    if record is None:
        raise LookupError(order_id)
    order = record.file.order
    product = decode_terms(record.terms_json).product
    return await house.provider.collect(
        reference=reference_of(record.shop_no, order_id),
        amount_fen=order.amount_fen,  # also when a part has come: a collection is opened once, other terms are refused
        subject=f"{product} × {order.quantity}"[:SUBJECT_MAX],
        expires_at_ms=order.expires_at_ms,
        return_url=return_url,
        notify_url=f"{house.settings.origin}/callbacks/{house.provider.name}",
    )


async def collect_top_up(
    house: House, *, shop_id: str, top_up_id: str, amount_fen: int, expires_at_ms: int, return_url: str
) -> Collection:
    """Open the collection of a top-up of a deposit, or find it opened before. Raises as `collect`."""
    return await house.provider.collect(
        reference=reference_of(await house.numbers.number_for(shop_id), top_up_id),
        amount_fen=amount_fen,
        subject="deposit",
        expires_at_ms=expires_at_ms,
        return_url=return_url,
        notify_url=f"{house.settings.origin}/callbacks/{house.provider.name}",
    )


async def open_codes(
    house: House,
    *,
    shop_id: str,
    order_id: str,
    code_ids: Sequence[str] = (),
    account_name: str = "",
    account_region: str = "",
    command_id: str | None = None,
    body_hash: bytes = b"",
) -> tuple[Answer, dict[str, OpenedCode]]:
    """Record that the buyer opens codes; only when that is durable, show them. Asking again shows the same again."""
    command = codes.RevealCodes(
        shop_id=shop_id,
        order_id=order_id,
        codes=tuple(code_ids),
        account_name=account_name,
        account_region=account_region,
    )
    answer = await house.ask(Asker.BUYER, command, command_id=command_id, body_hash=body_hash)
    if answer.refusal:
        return answer, {}
    opened = answer.facts.get("opened")
    assert isinstance(opened, list | tuple)
    wanted = [code_id for code_id in opened if not code_ids or code_id in code_ids]
    return answer, await house.vault.open_codes(shop_id, wanted)


async def take_notice(house: House, provider_name: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
    """Take a provider's notification: check it, record it, answer what came of it (`None`: it told nothing new).

    Raises `KeyError` for an unknown provider, `NotificationIsForged`, `NotificationIsUnreadable`; and whatever `ask`
    raises: then the provider must be told that it did not work, so that it tells us again.
    """
    notice = house.providers[provider_name].read_notification(headers, body, house.now_ms())
    return await record_notice(house, provider_name, notice)


async def record_notice(house: House, provider_name: str, notice: Notice) -> Answer | None:
    """Record what a provider said, however we learned it."""
    if isinstance(notice, InstructionNotice):
        return await _record_instruction(house, notice)
    where = await locate(house, notice.reference)
    if where is not None and notice.currency == CURRENCY:
        answer = await _record_money(house, provider_name, notice, where)
        if not answer.refusal:
            return answer
        answer = await _record_top_up(house, provider_name, notice, where)
        if not answer.refusal:
            return answer
    return await _record_money(house, provider_name, notice, None)


async def _record_top_up(
    house: House, provider_name: str, notice: PaymentNotice, where: tuple[str, str]
) -> Answer:
    command = deposits.RecordTopUp(
        shop_id=where[0],
        top_up_id=where[1],
        provider=provider_name,
        provider_txn=notice.provider_txn,
        amount_fen=notice.amount_fen,
        paid_at_ms=notice.paid_at_ms,
    )
    return await house.ask(Asker.PROVIDER, command, command_id=f"pay:{provider_name}:{notice.provider_txn}")


async def _record_money(
    house: House, provider_name: str, notice: PaymentNotice, where: tuple[str, str] | None
) -> Answer:
    identity = f"{provider_name}:{notice.provider_txn}"
    command = report_of(
        reference_is_known=where is not None,
        shop_id=where[0] if where else "",
        order_id=where[1] if where else "",
        payment_id=str(uuid5(NAMESPACE_URL, f"fairkey:payment:{identity}")),
        provider=provider_name,
        provider_txn=notice.provider_txn,
        reference=notice.reference,
        amount_fen=notice.amount_fen,
        currency=notice.currency,
        paid_at_ms=notice.paid_at_ms,
    )
    return await house.ask(Asker.PROVIDER, command, command_id=f"pay:{identity}")


async def _record_instruction(house: House, notice: InstructionNotice) -> Answer | None:
    read = read_key(notice.idempotency_key)
    if read is None:
        logger.warning("the provider reports on an instruction we do not know: %s", notice.kind)
        return None
    what, stream, number, attempt = read
    command = report_of_instruction(
        what, stream, number=number, attempt=attempt, succeeded=notice.succeeded, reason=notice.reason
    )
    return await house.ask(Asker.PROVIDER, command) if command else None


async def catch_up(house: House, shop_id: str, order_id: str) -> int:
    """Ask the provider what was paid for an order and record it: a lost notification is found. How many it knows.

    Raises `ProviderIsUnreachable`, `ProviderRefused`.
    """
    shop_no = await house.numbers.number_of(shop_id)
    if shop_no is None or not house.providers:
        return 0
    notices = await house.provider.query_payment(reference_of(shop_no, order_id))
    for notice in notices:
        await record_notice(house, house.provider.name, notice)
    return len(notices)


async def catch_up_quietly(house: House, shop_id: str, order_id: str) -> None:
    """`catch_up` where an unreachable provider changes nothing: what is paid late is handled as late."""
    try:
        await catch_up(house, shop_id, order_id)
    except (ProviderIsUnreachable, ProviderRefused) as error:
        logger.warning("the provider could not be asked about an order: %s", type(error).__name__)


async def deliver_typed(
    house: House,
    *,
    shop_id: str,
    order_id: str,
    texts: Sequence[str],
    by_account: str,
    command_id: str | None = None,
    body_hash: bytes = b"",
) -> Answer:
    """Put the typed codes into the vault and deliver them; if the order does not take them they leave the vault again.

    Raises `TypedCodesAreRefused` (a refusal) for codes that cannot be taken.
    """
    try:
        put = await house.imports.put_typed(shop_id, order_id, texts, by_account=by_account)
    except TypedCodesAreRefused:
        if command_id is not None:
            # A repeat finds its own codes in the vault: asking without codes gets the first answer or is refused.
            nothing = codes.DeliverTyped(shop_id=shop_id, order_id=order_id, codes=(), commitments=())
            answer = await house.ask(Asker.MERCHANT, nothing, command_id=command_id, body_hash=body_hash)
            if not answer.refusal or answer.refusal == "KeyWasUsedForAnotherRequest":
                return answer
        raise
    command: Command = codes.DeliverTyped(
        shop_id=shop_id,
        order_id=order_id,
        codes=tuple(code_id for code_id, _ in put),
        commitments=tuple(commitment for _, commitment in put),
    )
    answer = await house.ask(Asker.MERCHANT, command, command_id=command_id, body_hash=body_hash)
    if answer.refusal:
        await house.imports.drop_unregistered(shop_id, order_id, [code_id for code_id, _ in put])
    return answer


async def deposit(  # noqa: PLR0913 - everything an import is told about itself
    house: House,
    *,
    shop_id: str,
    import_id: str,
    listing_id: str,
    chunks: AsyncIterator[bytes],
    file_name: str,
    note: str,
    source: str,
    invoice_sha256: str,
    by_account: str,
    attestation: str = "",
    on_progress: Callable[[ImportProgress], None] | None = None,
) -> tuple[Staged, Answer | None]:
    """Read a file of codes into the vault and put what was accepted on sale; `None`: nothing was accepted.

    `attestation`: what their issuer signed about the list (see `attesting.read_word`). Raises the refusals of
    `CodeImports.stage`, and those of `attesting` before anything is read.
    """
    word = await attesting.read_word(house, attestation, shop_id=shop_id) if attestation else None
    try:
        staged = await house.imports.stage(
            shop_id=shop_id,
            import_id=import_id,
            listing_id=listing_id,
            chunks=chunks,
            file_name=file_name,
            note=note,
            source=source,
            invoice_sha256=bytes.fromhex(invoice_sha256) or None,
            by_account=by_account,
            on_progress=on_progress,
        )
    except ImportIsClosed:
        # Somebody died between vault and engine: what lies staged under this id only waits to be registered.
        record = await house.imports.find(shop_id, import_id)
        if record is None or record.state != "staged" or record.listing_id != listing_id or record.root is None:
            raise
        staged = _staged_before(record, record.root)
        source, note = record.source, record.note
        invoice_sha256 = (record.invoice_sha256 or b"").hex()
    if staged.count == 0:
        return staged, None
    command = batches.RegisterBatch(
        shop_id=shop_id,
        batch_id=import_id,
        listing_id=listing_id,
        count=staged.count,
        root=staged.root.hex(),
        source=source,
        invoice_sha256=invoice_sha256,
        note=note,
        attested=word,
    )
    if word is not None:
        try:
            await attesting.claim_word(house, word, import_id)
        except attesting.StatementIdWasUsed:
            await house.imports.drop_unregistered(shop_id, import_id)
            raise
    answer = await house.ask(Asker.MERCHANT, command, command_id=f"batch:{import_id}")
    if answer.refusal:
        await house.imports.drop_unregistered(shop_id, import_id)
    return staged, answer


def _staged_before(record: ImportRecord, root: bytes) -> Staged:
    return Staged(
        import_id=record.import_id,
        count=record.progress.accepted,
        root=root,
        progress=record.progress,
        encoding=record.encoding,
        delimiter=record.delimiter,
        columns_taken=record.columns_taken,
        columns_ignored=record.columns_ignored,
    )
