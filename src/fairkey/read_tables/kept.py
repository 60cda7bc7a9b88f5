"""The kept tables, folded from changes and ledger rows: rows of codes, numbers in stock, listing revisions, balances.

Pure. The memory store keeps its tables with it; `fairkey rebuild` makes them again from nothing with it and compares.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from fairkey.business.basics import invariant
from fairkey.business.codes import CodeStage
from fairkey.business.postings import ASSETS, Posting

from .changes import (
    BatchCodesMove,
    BatchOnSale,
    Change,
    CodesMove,
    CodesTyped,
    RevisionPublished,
    StockChange,
    SumChange,
)


@dataclass(slots=True)
class CodeRow:
    """One code that was ever on sale or typed. `batch_id` is empty for typed ones, `order_id` when nobody holds it."""

    listing_id: str
    batch_id: str
    stage: CodeStage = CodeStage.FREE
    order_id: str = ""


@dataclass(slots=True)
class Kept:
    """Everything that is kept beside the streams. Every key starts with the shop."""

    codes: dict[tuple[str, str], CodeRow] = field(default_factory=dict)  # (shop, code)
    stock: Counter[tuple[str, str]] = field(default_factory=Counter)  # (shop, listing)
    revisions: dict[tuple[str, str, int], str] = field(default_factory=dict)  # (shop, listing, revision) -> terms
    balances: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # (shop, account, currency) -> fen
    sums: Counter[tuple[str, str]] = field(default_factory=Counter)  # (shop, name) -> fen, of `covering`
    batches: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # (shop, batch) -> its codes by place

    def change(self, change: Change, in_vault: Iterable[str] = ()) -> None:
        """Take one change over; `in_vault` gives the codes of the batch of a `BatchOnSale` by place.

        What the database would refuse is `Broken`; then what was kept must not be used any more.
        """
        match change:
            case CodesMove():
                self._move(change)
            case CodesTyped():
                for code_id in change.codes:
                    self._born(change.shop_id, code_id, change.listing_id, "", CodeStage.DELIVERED, change.order_id)
            case BatchOnSale():
                of_batch = self.batches[change.shop_id, change.batch_id] = list(in_vault)
                invariant(len(of_batch) == change.count, "a batch is what was counted in the vault")
                for code_id in of_batch:
                    self._born(change.shop_id, code_id, change.listing_id, change.batch_id, CodeStage.FREE, "")
            case BatchCodesMove():
                of_batch = self.batches.get((change.shop_id, change.batch_id), [])
                invariant(all(place < len(of_batch) for place in change.places), "a batch moves what is there")
                for row in (self.codes[change.shop_id, of_batch[place]] for place in change.places):
                    invariant(row.stage is change.was, "a code by its place moves only from where it was")
                    row.stage = change.now
            case StockChange():
                key = (change.shop_id, change.listing_id)
                self.stock[key] += change.by
                invariant(self.stock[key] >= 0, "stock is never below zero")
            case SumChange():
                self.sums[change.shop_id, change.name] += change.by_fen
                invariant(self.sums[change.shop_id, change.name] >= 0, "a kept sum is never below zero")
            case RevisionPublished():
                self.revisions[change.shop_id, change.listing_id, change.revision] = change.terms

    def _move(self, change: CodesMove) -> None:
        for code_id in change.codes:
            row = self.codes.get((change.shop_id, code_id))
            if row is None:
                invariant(holds=False, what="every code that moves exists")
                continue
            invariant(row.stage is not CodeStage.REVEALED, "a revealed code is never sold again")
            row.stage, row.order_id = change.stage, change.order_id

    def _born(
        self, shop_id: str, code_id: str, listing_id: str, batch_id: str, stage: CodeStage, order_id: str
    ) -> None:
        invariant((shop_id, code_id) not in self.codes, "a code is born once")
        self.codes[shop_id, code_id] = CodeRow(listing_id, batch_id, stage, order_id)

    def rows_of(self, shop_id: str, batch_id: str) -> Iterable[CodeRow]:
        """The rows of a batch."""
        return (self.codes[shop_id, code_id] for code_id in self.batches.get((shop_id, batch_id), ()))

    def book(self, shop_id: str, posting: Posting) -> None:
        """Take one ledger row over."""
        for account, by_fen in legs_of(posting):
            self.balances[shop_id, account, posting.currency] += by_fen

    def below_zero(self) -> list[tuple[str, str, str]]:
        """Accounts that owe less than nothing; there must be none after a whole transaction."""
        return [account for account, balance_fen in self.balances.items() if balance_fen < 0]


def legs_of(posting: Posting) -> tuple[tuple[str, int], tuple[str, int]]:
    """By how much a ledger row changes the balances of its two accounts."""
    debit_sign = 1 if posting.debit in ASSETS else -1
    credit_sign = -1 if posting.credit in ASSETS else 1
    return (
        (posting.debit.value, debit_sign * posting.amount_fen),
        (posting.credit.value, credit_sign * posting.amount_fen),
    )
