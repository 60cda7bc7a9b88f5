"""`fairkey case tell`: what the person knows of a case and no file says: who is who, what happened, what is wanted."""

import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import rich_click as click
from msgspec import to_builtins
from msgspec.structs import replace

from fairkey.casework.disk import read_bounded
from fairkey.casework.folder import CaseIsRefused
from fairkey.casework.model import Case, Party, Problem, Purpose

from .guiding import moment_ms
from .parts import case_argument, json_option, now_ms, opened, say, speaking, tell_of

ACCOUNT_BYTES_MAX: Final = 64 * 1024
LINE_MAX: Final = 200
_THOUSANDS: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d*)?")
_FEN_MAX: Final = 10**12
WISHES: Final = ("refund", "resend", "make_up", "damages")
_BUYER: Final = {"name": "name", "phone": "phone", "address": "address"}
_SELLER: Final = {
    "seller": "name",
    "seller_code": "uscc",
    "seller_address": "address",
    "seller_representative": "legal_representative",
    "seller_url": "url",
}
_BOUGHT: Final = {"platform": "platform", "shop": "shop", "order": "order_number", "product": "product",
                  "transaction": "transaction"}  # fmt: skip
_TIMES: Final = {"ordered": "ordered_at_ms", "paid": "paid_at_ms", "delivered": "delivered_at_ms",
                 "problem_at": "problem_at_ms"}  # fmt: skip
_DAY: Final = "YYYY-MM-DD[THH:MM]"


@click.command(name="tell")
@case_argument
@click.option("--title", help="What it is about, in your words.")
@click.option("--problem", type=click.Choice([one.value for one in Problem]), help="What went wrong.")
@click.option("--for", "purpose", type=click.Choice([one.value for one in Purpose]), help="What it was bought for.")
@click.option("--account", help="What happened, in your words.")
@click.option(
    "--account-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The same, from a text file."
)
@click.option("--name", help="Your name, as letters are signed.")
@click.option("--phone", help="Your phone.")
@click.option("--address", help="Your address.")
@click.option("--seller", help="The seller's name, as far as known.")
@click.option("--seller-code", help="The seller's unified social credit code.")
@click.option("--seller-address", help="The seller's address.")
@click.option("--seller-representative", help="The seller's legal representative.")
@click.option("--seller-url", help="The address of the shop or listing.")
@click.option("--platform", help="The platform.")
@click.option("--shop", help="The shop.")
@click.option("--order", help="The order number.")
@click.option("--product", help="What was bought.")
@click.option("--transaction", help="The number of the payment.")
@click.option("--quantity", type=click.IntRange(1, 1_000_000), help="How many.")
@click.option("--amount", metavar="YUAN", help="What was paid, as 128.00.")
@click.option("--ordered", metavar=_DAY, help="When it was ordered, Beijing time.")
@click.option("--paid", metavar=_DAY, help="When it was paid.")
@click.option("--delivered", metavar=_DAY, help="When it was delivered.")
@click.option("--problem-at", metavar=_DAY, help="When the problem was seen.")
@click.option("--wish", "wishes", multiple=True, type=click.Choice(WISHES), help="What you want. Repeatable.")
@click.option("--losses", metavar="YUAN", help="Losses with proof, as 35.00.")
@click.option("--fraud/--no-fraud", "asserts_fraud", default=None, help="Whether you say that you were deceived.")
@json_option
def tell_case(folder: Path, as_json: bool, **said: Any) -> None:  # noqa: ANN401, FBT001 - click passes options so
    """Tell what no file of CASE says. Only what is named is changed; an empty text takes something back.

    Letters are made of it and of what was confirmed. It all stays in the folder of the case.
    """
    with speaking(as_json=as_json):
        case = opened(folder)
        given = {name: value for name, value in said.items() if value not in (None, ())}
        if not given:
            raise click.UsageError("Name what there is to tell: fairkey case tell --help")
        changes = _read(given)
        case.change("case.told", lambda now: _told(now, changes), at_ms=now_ms(), facts={"fields": ",".join(given)})
        after = case.read()
    figures: dict[str, Any] = {
        name: to_builtins(getattr(after, name))
        for name in ("title", "problem", "purpose", "account", "buyer", "respondents", "purchase", "wishes")
    }
    figures |= {"losses_fen": after.losses_fen, "asserts_fraud": after.asserts_fraud}
    say(figures, lambda: tell_of("told", count=len(given), folder=folder), as_json=as_json)


def _read(given: dict[str, Any]) -> dict[str, Any]:
    """Sums in fen and moments in milliseconds. Raises `CaseIsRefused`, `FileIsRefused`."""
    read: dict[str, Any] = {
        name: value[:LINE_MAX] if isinstance(value, str) else value for name, value in given.items()
    }
    for name in ("amount", "losses"):
        if name in read:
            read[name] = fen_of(read[name])
    for name in _TIMES:
        if name in read:
            read[name] = moment_ms(read[name]) if read[name] else 0
    if "account" in given:
        read["account"] = given["account"][:ACCOUNT_BYTES_MAX]
    if "account_file" in read:
        read["account"] = read_bounded(read.pop("account_file"), ACCOUNT_BYTES_MAX).decode("utf-8-sig", "replace")
    return read


def fen_of(text: str) -> int:
    """Yuan as typed (`128`, `¥128.00`) in fen; nothing is none. Raises `CaseIsRefused`."""
    plain = text.strip().strip("¥￥元").strip()
    if _THOUSANDS.fullmatch(plain):  # a comma anywhere else may mean a point
        plain = plain.replace(",", "")
    try:
        fen = Decimal(plain or "0") * 100
        if fen == fen.to_integral_value() and 0 <= fen <= _FEN_MAX:
            return int(fen)
    except InvalidOperation:
        pass
    raise CaseIsRefused(f"“{text}” is no sum in yuan: write it as 128.00.")


def _told(case: Case, said: dict[str, Any]) -> Case:
    changes: dict[str, Any] = {
        name: said[name] for name in ("title", "account", "wishes", "asserts_fraud") if name in said
    }
    if "problem" in said:
        changes["problem"] = Problem(said["problem"])
    if "purpose" in said:
        changes["purpose"] = Purpose(said["purpose"])
    if "losses" in said:
        changes["losses_fen"] = said["losses"]
    bought = {field: said[name] for name, field in {**_BOUGHT, **_TIMES}.items() if name in said}
    bought |= {"quantity": said["quantity"]} if "quantity" in said else {}
    bought |= {"amount_fen": said["amount"]} if "amount" in said else {}
    return replace(
        case,
        **changes,
        purchase=replace(case.purchase, **bought),
        buyer=replace(case.buyer, **{field: said[name] for name, field in _BUYER.items() if name in said}),
        respondents=_respondents(case, said),
    )


def _respondents(case: Case, said: dict[str, Any]) -> tuple[Party, ...]:
    """The seller stands first; he is there once anything of him is known."""
    parts = {field: said[name] for name, field in _SELLER.items() if name in said}
    parts |= {name: said[name] for name in ("shop", "platform") if name in said}
    first, rest = (case.respondents[0], case.respondents[1:]) if case.respondents else (Party(), ())
    seller = replace(first, **parts)
    return (seller, *rest) if any((seller.name, seller.uscc, seller.address, seller.shop)) else rest
