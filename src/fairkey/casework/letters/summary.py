"""What a letter says, in short, for whoever does not read Chinese: letters themselves stay as their readers need them.

Made of the same facts and the same demand as the letter; codes are hidden as there.
"""

from fairkey.casework.channels.channel import Channel
from fairkey.casework.demand import Demand, Figure
from fairkey.casework.law import cited
from fairkey.casework.model import Case, FactKind
from fairkey.casework.moments import moment_in
from fairkey.casework.pack.masks import Masks
from fairkey.casework.texts import Words, listed, same, words

from .told import money


def summary(case: Case, demand: Demand, channel: Channel) -> tuple[Words, ...]:
    """Sentences: what was bought, what went wrong, what is asked for and by which law, what else this letter does."""
    codes = [str(one.value) for one in case.facts if one.kind is FactKind.CODE]
    masks = Masks(codes)
    bought = case.purchase
    at_ms = bought.ordered_at_ms or bought.paid_at_ms
    told = [
        words(
            "letters.bought",
            when=Words(moment_in(at_ms, "zh"), moment_in(at_ms, "en")) if at_ms else _or_unknown(""),
            where=_or_unknown(bought.platform),
            shop=_or_unknown(bought.shop),
            what=_or_unknown(masks(f"{bought.product} × {bought.quantity}" if bought.product else "")),
            order=_or_unknown(masks(bought.order_number)),
            paid=money(bought.amount_fen) if bought.amount_fen else _or_unknown(""),
        ),
        words("letters.problem", what=words(f"problems.{case.problem.value}")),
    ]
    if demand.figures and channel.name not in {"regulator", "police"}:
        told.append(words("letters.asks", what=listed([figure_words(one) for one in demand.figures])))
    if case.files:
        told.append(words("letters.shows", count=len(case.files)))
    return (*told, channel.says)


def figure_words(figure: Figure) -> Words:
    """One demand with its sum and its law in one line."""
    sum_of = money(figure.amount_fen) if figure.amount_fen is not None else None
    what = words("demand.with_sum", what=figure.words, sum=sum_of) if sum_of else figure.words
    return words("demand.with_law", what=what, law=cited(figure.rules))


def _or_unknown(value: str) -> Words:
    return same(value) if value else words("letters.unknown")
