"""The deposit of the caller's shop: how it stands, its terms, paying in, asking back."""

from typing import Annotated, Final

from msgspec import Meta

from fairkey.api.calls import Call, Reply, reply, require_done
from fairkey.api.endpoints import Endpoint, Example
from fairkey.api.shapes import Fen, Id, In, Moment, Out, PriceFen, moment
from fairkey.business import covering, deposits
from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, Command, InstructionState
from fairkey.effects.ports import ProviderIsUnreachable, ProviderRefused
from fairkey.engine import trade
from fairkey.engine.house import House, NoPaymentProvider

TAG: Final = "deposits"


class DepositTerms(In, frozen=True, kw_only=True):
    """The version of the terms that is accepted: `terms` of what you read."""

    version: Annotated[str, Meta(min_length=1, max_length=20)]


class DepositSum(In, frozen=True, kw_only=True):
    """How much."""

    amount_fen: PriceFen


class DepositNotice(Out, frozen=True, kw_only=True):
    """Money asked back: until `ends_at` it still answers for orders and can be cut."""

    release_no: int
    amount_fen: Fen
    ends_at: Moment


class DepositCharge(Out, frozen=True, kw_only=True):
    """What rulings took for one order: to the buyer, as penalty; `owed_fen` was not there and is still owed."""

    order_id: Id
    ruling_no: int
    row: str
    refund_fen: Fen
    penalty_fen: Fen
    owed_fen: Fen


class DepositTopUp(Out, frozen=True, kw_only=True):
    """Money that came. It counts when the provider keeps it apart: `state` done."""

    top_up_no: int
    amount_fen: Fen
    returned_fen: Fen
    state: InstructionState


class DepositView(Out, frozen=True, kw_only=True):
    """How the deposit stands. `terms` is the version to accept, `agreed` the one you accepted (empty: none)."""

    terms: str
    agreed: str
    free_fen: Fen
    coming_fen: Annotated[Fen, Meta(description="Paid, not yet kept apart by the provider.")]
    noticed_fen: Annotated[Fen, Meta(description="Asked back; the notice runs.")]
    staked_fen: Annotated[Fen, Meta(description="At stake in appeals.")]
    owed_fen: Annotated[Fen, Meta(description="Owed from rulings; taken out of the next top-ups first.")]
    needed_fen: Annotated[Fen, Meta(description="What open orders and those of 90 days need; cannot be asked back.")]
    room_fen: Annotated[Fen | None, Meta(description="How large the next order may be; null: no bound.")]
    top_ups: tuple[DepositTopUp, ...]
    notices: tuple[DepositNotice, ...]
    charges: tuple[DepositCharge, ...]


class TopUpLink(Out, frozen=True, kw_only=True):
    """Where the shop pays what it asked to pay in."""

    pay_url: str
    qr_text: str
    amount_fen: Fen
    expires_at: Moment


class DepositDone(Out, frozen=True, kw_only=True):
    """The kinds of facts that the command made."""

    kinds: tuple[str, ...]


async def get_deposit(house: House, call: Call) -> Reply:
    """How it stands."""
    book, settings = house.questions.deposits, house.settings
    own, exposure = await book.deposit(call.shop_id), await book.exposure(call.shop_id, house.now_ms())
    room_fen: int | None = None
    if settings.small_trial_fen:
        most_fen = covering.open_max_fen(exposure, own.free_fen, settings.cover_bp, settings.small_trial_fen)
        room_fen = max(most_fen - exposure.open_fen, 0)
    return reply(
        DepositView(
            terms=deposits.TERMS_VERSION,
            agreed=own.version,
            free_fen=own.free_fen,
            coming_fen=own.coming_fen,
            noticed_fen=own.noticed_fen,
            staked_fen=own.staked_fen,
            owed_fen=own.owed_fen,
            needed_fen=covering.needed_fen(exposure, settings.cover_bp),
            room_fen=room_fen,
            top_ups=tuple(
                DepositTopUp(
                    top_up_no=one.top_up_no, amount_fen=one.amount_fen, returned_fen=one.left_fen, state=one.state
                )
                for one in own.top_ups
            ),
            notices=tuple(
                DepositNotice(release_no=one.release_no, amount_fen=one.amount_fen, ends_at=moment(one.due_at_ms))
                for one in own.releases
            ),
            charges=tuple(
                DepositCharge(
                    order_id=order_id,
                    ruling_no=one.ruling_no,
                    row=one.row,
                    refund_fen=one.refund_fen,
                    penalty_fen=one.penalty_fen,
                    owed_fen=one.owed_fen,
                )
                for order_id, one in own.charges.items()
            ),
        )
    )


async def agree_deposit(house: House, call: Call) -> Reply:
    """Accept the terms."""
    given: DepositTerms = call.given
    return await _asked(house, call, deposits.AgreeDeposit(shop_id=call.shop_id, version=given.version))


async def top_up_deposit(house: House, call: Call) -> Reply:
    """Ask to pay in; the same id again leads to the same collection."""
    given: DepositSum = call.given
    top_up_id = call.uuid("top_up_id")
    answer = await house.ask(
        Asker.MERCHANT,
        deposits.TopUpDeposit(shop_id=call.shop_id, top_up_id=top_up_id, amount_fen=given.amount_fen),
        command_id=f"top-up:{call.shop_id}:{top_up_id}",
        body_hash=call.body_hash(house),
    )
    require_done(answer)
    own = await house.questions.deposits.deposit(call.shop_id)
    amount_fen = own.asked.get(top_up_id, given.amount_fen)
    expires_at_ms = own.asked_until.get(top_up_id, house.now_ms() + DAY_MS)
    try:
        collection = await trade.collect_top_up(
            house,
            shop_id=call.shop_id,
            top_up_id=top_up_id,
            amount_fen=amount_fen,
            expires_at_ms=expires_at_ms,
            return_url=f"{house.settings.origin}/desk/deposit",
        )
    except (ProviderIsUnreachable, ProviderRefused) as error:
        raise NoPaymentProvider from error
    return reply(
        TopUpLink(
            pay_url=collection.pay_url,
            qr_text=collection.qr_text,
            amount_fen=amount_fen,
            expires_at=moment(expires_at_ms),
        )
    )


async def release_deposit(house: House, call: Call) -> Reply:
    """Give notice for an amount; all that is free is the exit."""
    given: DepositSum = call.given
    return await _asked(house, call, deposits.RequestRelease(shop_id=call.shop_id, amount_fen=given.amount_fen))


async def _asked(house: House, call: Call, command: Command) -> Reply:
    answer = await house.ask(Asker.MERCHANT, command, command_id=call.command_id(), body_hash=call.body_hash(house))
    require_done(answer)
    return reply(DepositDone(kinds=answer.kinds))


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/deposits",
        tag=TAG,
        summary="Read how your deposit stands",
        description="What is free, bound and owed, what came and went, and which notices run.",
        handle=get_deposit,
        answer=DepositView,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/deposits/agree",
        tag=TAG,
        summary="Accept the terms of the deposit",
        handle=agree_deposit,
        body=DepositTerms,
        answer=DepositDone,
        idempotency="optional",
        refusals=("TermsAreNotCurrent",),
        example=Example(request={"version": deposits.TERMS_VERSION}, answer={"kinds": ["deposit.agreed"]}),
    ),
    Endpoint(
        method="PUT",
        path="/api/v1/deposits/top-ups/{top_up_id}",
        tag=TAG,
        summary="Pay in",
        description="You choose the id; the same again leads to the same page of the provider for a day.",
        handle=top_up_deposit,
        body=DepositSum,
        answer=TopUpLink,
        idempotency="optional",
        refusals=("DepositIsNotAgreed", "FieldIsInvalid", "NoPaymentProvider"),
        example=Example(
            request={"amount_fen": 100_000},
            answer={
                "pay_url": "https://pay.example/c/7",
                "qr_text": "https://pay.example/q/7",
                "amount_fen": 100_000,
                "expires_at": "2026-11-24T08:00:00.000Z",
            },
        ),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/deposits/release",
        tag=TAG,
        summary="Ask for deposit back",
        description=(
            "A notice of 15 days, in which it still answers for orders; then what is not needed goes back to where it "
            "came from. All that is free is the exit."
        ),
        handle=release_deposit,
        body=DepositSum,
        answer=DepositDone,
        idempotency="required",
        refusals=("DepositIsTooLow", "DepositIsNeeded", "FieldIsInvalid"),
        example=Example(request={"amount_fen": 50_000}, answer={"kinds": ["deposit.release_requested"]}),
    ),
)
