"""Messages: each a fact; what leads off the platform is not sent by mistake."""

from msgspec.structs import replace

from business_cases import NOW, ORDER, SHOP, Case, all_of, hold
from fairkey.business import messages
from fairkey.business.basics import FieldIsInvalid, Stream
from fairkey.business.lures import Lure
from fairkey.business.messages import (
    BURST,
    BURST_MS,
    LETTER_PAUSE_MS,
    MESSAGES_MAX,
    OPEN_AFTER_END_MS,
    ConversationBriefing,
    LeadsOffThePlatform,
    MessageSent,
    NoMessagesAboutThis,
    SendMessage,
    TooManyMessages,
    Writer,
)
from fairkey.effects.queue import effects_of

OPEN = ConversationBriefing(stage="delivered", exists=True, ended_at_ms=0)
ASK = SendMessage(shop_id=SHOP, order_id=ORDER, by=Writer.BUYER, text="When does it come?")
ASKED = MessageSent(message_no=1, by=Writer.BUYER, lures=(), letter=True, text="When does it come?")
ANSWER = replace(ASK, by=Writer.SHOP, text="Soon.")
LURE = replace(ANSWER, text="加我微信 kami8899")
LURED = MessageSent(message_no=1, by=Writer.SHOP, lures=(Lure.CONTACT,), letter=True, text="加我微信 kami8899")
ENDED = ConversationBriefing(stage="completed", exists=True, ended_at_ms=NOW)


def sent(number: int, by: Writer = Writer.BUYER) -> MessageSent:
    return MessageSent(message_no=number, by=by, lures=(), letter=number == 1, text="…")


BURST_SENT = tuple((sent(number), NOW + number) for number in range(1, BURST + 1))
CASES = [
    Case(rule="a buyer asks, the shop is written to", when=ASK, brief=OPEN, then=[ASKED]),
    Case(
        rule="a second one soon brings no second mail",
        given=(ASKED,),
        when=ASK,
        brief=OPEN,
        at_ms=NOW + LETTER_PAUSE_MS - 1,
        then=[replace(ASKED, message_no=2, letter=False)],
    ),
    Case(
        rule="after a pause it does",
        given=(ASKED,),
        when=ASK,
        brief=OPEN,
        at_ms=NOW + LETTER_PAUSE_MS,
        then=[replace(ASKED, message_no=2)],
    ),
    Case(
        rule="the answer is told at once",
        given=(ASKED,),
        when=ANSWER,
        brief=OPEN,
        then=[MessageSent(message_no=2, by=Writer.SHOP, lures=(), letter=True, text="Soon.")],
    ),
    Case(
        rule="a shop that leads away is warned",
        when=LURE,
        brief=OPEN,
        then=(LeadsOffThePlatform, {"lures": ("contact",)}),
    ),
    Case(rule="what it sends all the same is marked", when=replace(LURE, sure=True), brief=OPEN, then=[LURED]),
    Case(
        rule="a buyer is not held up, his is marked",
        when=replace(LURE, by=Writer.BUYER),
        brief=OPEN,
        then=[replace(LURED, by=Writer.BUYER)],
    ),
    Case(rule="nothing", when=replace(ASK, text="  "), brief=OPEN, then=FieldIsInvalid),
    Case(rule="too much", when=replace(ASK, text="x" * 2_001), brief=OPEN, then=FieldIsInvalid),
    Case(
        rule="before there is money",
        when=ASK,
        brief=replace(OPEN, exists=False, stage="placed"),
        then=(NoMessagesAboutThis, {"stage": "placed"}),
    ),
    Case(rule="long after the end", when=ASK, brief=ENDED, at_ms=NOW + OPEN_AFTER_END_MS, then=NoMessagesAboutThis),
    Case(rule="just before that", when=ASK, brief=ENDED, at_ms=NOW + OPEN_AFTER_END_MS - 1, then=[ASKED]),
    Case(
        rule="twenty in ten minutes",
        given=BURST_SENT,
        when=ASK,
        brief=OPEN,
        at_ms=NOW + BURST_MS,
        then=(TooManyMessages, {"again_at_ms": NOW + 1 + BURST_MS}),
    ),
    Case(
        rule="then one more",
        given=BURST_SENT,
        when=ASK,
        brief=OPEN,
        at_ms=NOW + 1 + BURST_MS,
        then=[replace(ASKED, message_no=BURST + 1, letter=False)],
    ),
    Case(
        rule="the other side is not held up by it",
        given=BURST_SENT,
        when=ANSWER,
        brief=OPEN,
        at_ms=NOW + BURST,
        then=[MessageSent(message_no=BURST + 1, by=Writer.SHOP, lures=(), letter=True, text="Soon.")],
    ),
    Case(rule="five hundred in all", given=(sent(MESSAGES_MAX),), when=ASK, brief=OPEN, then=NoMessagesAboutThis),
]


@all_of(CASES)
def test_messages(case: Case) -> None:
    hold(messages, case)


def test_only_the_shops_lures_count() -> None:
    state = messages.INITIAL
    for event in (LURED, replace(LURED, message_no=2, by=Writer.BUYER), sent(3, Writer.SHOP)):
        state = messages.evolve(state, event, NOW)
    assert state.shop_lures == 1


def test_the_other_side_is_written_to_and_not_of_every_message() -> None:
    stream = Stream(SHOP, "order", ORDER)
    assert [one.kind for one in effects_of(stream, 4, ASKED)] == ["tell_merchant"]
    assert [one.kind for one in effects_of(stream, 5, LURED)] == ["tell_buyer"]
    assert effects_of(stream, 6, replace(ASKED, letter=False)) == []
