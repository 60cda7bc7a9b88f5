"""What all letters of a case tell, made once: facts with the evidence that shows them, demands with their law.

Only what the person confirmed is told, in his order of events. What is missing is left as a blank line to be filled in
and named for the writer; nothing is filled in by guessing. Codes and other people's numbers are hidden.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from fairkey.casework import law
from fairkey.casework.completeness import State, gaps, preservation_needed
from fairkey.casework.demand import Demand, compute
from fairkey.casework.law import LawIsUnknown, Rule, rule
from fairkey.casework.model import Case, CaseFile, FactKind, FactRole, Party, Problem, Purpose
from fairkey.casework.moments import CHINA
from fairkey.casework.pack.masks import Masks, mask_code
from fairkey.casework.texts import Words, blank, listed, words

from .language import findings_of

BLANK: Final = "＿＿＿＿"
NAMED_MAX: Final = 10
"""How many pieces of evidence a letter names one by one."""
_PAIR: Final = 2
_NOT_DELIVERED: Final = frozenset({Problem.NOT_DELIVERED, Problem.SELLER_VANISHED, Problem.FAKE_STOCK})
_PREPAID: Final = _NOT_DELIVERED | {Problem.DELIVERED_LATE, Problem.PARTLY_DELIVERED}
_PROBLEMS: Final = {
    Problem.NOT_DELIVERED: "截至本函之日，卖家没有交付。",
    Problem.DELIVERED_LATE: "卖家没有在承诺的时间内交付。",
    Problem.PARTLY_DELIVERED: "卖家只交付了一部分。",
    Problem.ALREADY_USED: "按商品说明激活未能成功，提示该激活码已被使用。",
    Problem.NOT_VALID: "按商品说明激活未能成功，提示该激活码无效。",
    Problem.WRONG_REGION: "按商品说明激活未能成功，所交付的激活码不适用于商品标明的地区。",
    Problem.WRONG_PRODUCT: "所交付的商品与商品页面载明的不一致。",
    Problem.EXPIRED_CODE: "按商品说明激活未能成功，提示该激活码已过期。",
    Problem.REVOKED_LATER: "激活以后，所得内容被发行方收回。",
    Problem.FAKE_STOCK: "商品标明有货，付款后卖家没有交付。",
    Problem.REFUND_REFUSED: "本人要求退款，卖家拒绝。",
    Problem.SELLER_VANISHED: "付款后卖家没有交付，并且不再答复。",
    Problem.OTHER: "",
}
TITLES: Final = {one: words(f"problems.{one.value}").zh for one in Problem}
_CHANNELS_ZH: Final = {
    "platform": "平台",
    "heimao": "黑猫投诉平台",
    "s12315": "全国12315平台",
    "consumer_association": "消费者协会",
    "regulator": "市场监督管理部门",
    "small_claims": "人民法院",
    "b2b": "卖家",
    "police": "公安机关",
}
_STAGES_ZH: Final = {
    "sent": "提出要求",
    "accepted": "受理",
    "refused": "不予受理或拒绝",
    "answered": "作出答复",
    "settled": "达成一致",
    "ended": "处理结束",
}


def yuan(amount_fen: int) -> str:
    """`128.00元`."""
    return f"{amount_fen // 100}.{amount_fen % 100:02d}元"


def money(amount_fen: int) -> Words:
    """`128.00元`, `CNY 128.00`."""
    return Words(yuan(amount_fen), f"CNY {amount_fen // 100:,}.{amount_fen % 100:02d}")


def in_runs(numbers: Iterable[int]) -> str:
    """`1、2、5至9`: three or more in a row are told by their ends."""
    runs: list[list[int]] = []
    for one in sorted(set(numbers)):
        if runs and one == runs[-1][-1] + 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    told = (f"{run[0]}至{run[-1]}" if len(run) > _PAIR else "、".join(map(str, run)) for run in runs)
    return "、".join(told)


def day_zh(at_ms: int) -> str:
    """`2026年5月3日14时05分`, Beijing time."""
    at = datetime.fromtimestamp(at_ms / 1000, CHINA)
    return f"{at.year}年{at.month}月{at.day}日{at.hour}时{at.minute:02d}分"


def cited(rules: Iterable[Rule]) -> str:
    """As a letter cites them: each law once."""
    return law.cited(rules).zh


class Told:
    """A case on a day, as letters tell it."""

    def __init__(self, case: Case, on: date, demand: Demand | None = None, *, shows_all: bool = False) -> None:
        """`demand`: of this case on this day, if it is known. `shows_all`: codes and others' numbers stand in clear."""
        self.case = case
        self.on = on
        self.demand: Demand = demand or compute(case, on)
        codes = [str(one.value) for one in case.facts if one.kind is FactKind.CODE]
        codes += [str(one.value) for one in case.proposed if one.kind is FactKind.CODE]
        self.masks = Masks(codes, is_off=shows_all)
        self.missing: list[str] = []
        self.unknown_law: list[Words] = []
        self._numbers = {file.seal.sha256: number for number, file in enumerate(case.files, 1)}

    # What is asked of the person.

    def or_blank(self, value: str, what: str) -> str:
        """The value, or a blank line and a note of what is missing."""
        if value:
            return self.masks(value)
        if what not in self.missing:
            self.missing.append(what)
        return BLANK

    def own(self, value: str, what: str) -> str:
        """Something of the person's own: it stands in clear in what he signs."""
        if not value and what not in self.missing:
            self.missing.append(what)
        return value or BLANK

    def warnings(self, *more: Words) -> tuple[Words, ...]:
        """What the writer should look at: what is missing, unknown law, weak evidence, and what a channel adds."""
        blanks = [blank(one) for one in self.missing]
        found = [words("letters.missing", what=listed(blanks))] if blanks else []
        found += [*self.unknown_law, *self.demand.unknown, *self.demand.warnings]
        if {"refund", "resend"} <= set(self.case.wishes):
            found.append(words("letters.either"))
        weak = [one.piece.name for one in gaps(self.case) if one.state is not State.PRESENT]
        if weak:
            found.append(words("letters.weak", what=listed(weak)))
        found += [
            words("letters.language", text=one.text, instead=one.instead, why=one.why) for one in findings_of(self.case)
        ]
        return (*dict.fromkeys(found), *more)

    # Evidence.

    def shown_by(self, *wanted: FactKind | FactRole) -> str:
        """`（证据1、3）` of the files whose confirmed facts are of these kinds or roles; empty for none."""
        numbers = sorted(
            self._numbers[sha256]
            for fact in self.case.facts
            if fact.kind in wanted or (fact.role in wanted and fact.role is not FactRole.NONE)
            for sha256 in fact.files
            if sha256 in self._numbers
        )
        return f"（证据{in_runs(numbers)}）" if numbers else ""

    def evidence(self) -> tuple[str, ...]:
        """One line for each file, numbered as in the list of evidence. Of many, one for each thing that they show: a
        reader gets to the demand, and their names stand in that list.
        """
        if len(self.case.files) > NAMED_MAX:
            return self._evidence_in_groups()
        lines = []
        for file, number in zip(self.case.files, self._numbers.values(), strict=True):
            shows = self._shows(file)
            lines.append(f"证据{number}：{self.masks(file.name)}" + (f"，证明{shows}" if shows else ""))
        return tuple(lines)

    def _evidence_in_groups(self) -> tuple[str, ...]:
        groups: dict[str, list[int]] = {}
        for file, number in zip(self.case.files, self._numbers.values(), strict=True):
            groups.setdefault(self._shows(file), []).append(number)
        lines = [
            f"证据{in_runs(numbers)}"
            + (f"（{len(numbers)}份）" if len(numbers) > 1 else "")
            + (f"：证明{shows}" if shows else "")
            for shows, numbers in groups.items()
        ]
        return (*lines, f"共{len(self.case.files)}份，名称和来源见所附证据清单。")

    def attachments(self) -> tuple[str, ...]:
        """SHA-256 of all files, in the order of their numbers."""
        return tuple(self._numbers)

    def purposes(self) -> dict[str, str]:
        """What each file is to show, by its SHA-256, as far as it was confirmed."""
        shown = {file.seal.sha256: self._shows(file) for file in self.case.files}
        return {sha256: said for sha256, said in shown.items() if said}

    def _shows(self, file: CaseFile) -> str:
        if file.purpose:
            return self.masks(file.purpose)
        kinds = [_KINDS[one.kind] for one in self.case.facts if file.seal.sha256 in one.files]
        return "、".join(dict.fromkeys(kinds))

    # Facts.

    def facts(self, *, is_public: bool = False) -> tuple[str, ...]:
        """What happened, each sentence with the evidence that shows it. `is_public`: numbers of order and payment are
        hidden in part.
        """
        hide = mask_code if is_public and not self.masks.is_off else str
        bought = self.case.purchase
        ordered_ms = bought.ordered_at_ms or bought.paid_at_ms
        when = day_zh(ordered_ms) if ordered_ms else self.or_blank("", "下单时间")
        where = f"在{self.or_blank(bought.platform, '平台')}的“{self.or_blank(bought.shop, '店铺名称')}”店铺"
        what = f"购买“{self.or_blank(bought.product, '商品名称')}”{bought.quantity}件"
        number = hide(bought.order_number) if bought.order_number else ""
        order = f"订单号{self.or_blank(number, '订单号')}"
        found = [f"{when}，本人{where}{what}，{order}{self.shown_by(FactKind.ORDER_NUMBER, FactRole.ORDERED)}。"]
        paid = yuan(bought.amount_fen) if bought.amount_fen else self.or_blank("", "支付金额")
        paid_when = f"{day_zh(bought.paid_at_ms)}，" if bought.paid_at_ms else ""
        transaction = f"，支付流水号{self.masks(hide(bought.transaction))}" if bought.transaction else ""
        shown = self.shown_by(FactKind.TRANSACTION, FactRole.PAID)  # not every sum is the one that was paid
        found.append(f"{paid_when}本人支付{paid}{transaction}{shown}。")
        found += self._promises()
        if self.case.problem not in _NOT_DELIVERED and bought.delivered_at_ms:
            found.append(
                f"{day_zh(bought.delivered_at_ms)}，卖家交付{self._codes()}{self.shown_by(FactRole.DELIVERED)}。"
            )
        found += self._problem()
        found += self._taken()
        return tuple(found)

    def own_words(self) -> tuple[str, ...]:
        """What the person wrote himself, if he did."""
        return tuple(self.masks(line) for line in self.case.account.splitlines() if line.strip())

    def _promises(self) -> list[str]:
        said = [str(one.value) for one in self.case.facts if one.kind is FactKind.PROMISE]
        if not said:
            return []
        promised = "、".join(f"“{self.masks(one)}”" for one in dict.fromkeys(said))
        return [f"商品页面或卖家的说明载明：{promised}{self.shown_by(FactKind.PROMISE)}。"]

    def _codes(self) -> str:
        codes = [str(one.value) for one in self.case.facts if one.kind is FactKind.CODE]
        return "激活码" + (f"（{'、'.join(self.masks(one) for one in dict.fromkeys(codes))}）" if codes else "")

    def _problem(self) -> list[str]:
        said = _PROBLEMS[self.case.problem]
        errors = [str(one.value) for one in self.case.facts if one.kind is FactKind.ERROR]
        if errors:
            said += f"当时显示的提示为：{'、'.join(f'“{self.masks(one)}”' for one in dict.fromkeys(errors))}。"
        if not said:
            return []
        at_ms = self.case.purchase.problem_at_ms
        when = f"{day_zh(at_ms)}，" if at_ms and self.case.problem not in _NOT_DELIVERED else ""
        shown = self.shown_by(FactKind.ERROR, FactRole.PROBLEM)
        return [f"{when}{said.rstrip('。')}{shown}。"]

    def _taken(self) -> list[str]:
        found = []
        for step in self.case.steps:
            if step.stage in _STAGES_ZH:
                whom = _CHANNELS_ZH.get(step.channel, step.channel)
                did = f"本人向{whom}提出要求" if step.stage == "sent" else f"{whom}{_STAGES_ZH[step.stage]}"
                number = f"（编号{self.masks(step.reference)}）" if step.reference else ""
                outcome = f"：{self.masks(step.outcome)}" if step.outcome else ""
                found.append(f"{day_zh(step.at_ms)}，{did}{number}{outcome.rstrip('。')}。")
        return found

    # Demands.

    def demands(self) -> tuple[str, ...]:
        """What is asked for, numbered, each with its law; what may be asked only besides stands last and says so."""
        lines = []
        for figure in self.demand.figures:
            amount = f" {yuan(figure.amount_fen)}" if figure.amount_fen is not None else ""
            lines.append(f"{figure.words.zh}{amount}（依据：{cited(figure.rules)}）")
        interest = self.interest()
        if interest:
            lines.insert(max(1, sum(not one.is_alternative for one in self.demand.figures)), interest)
        return tuple(f"{number}. {line}。" for number, line in enumerate(lines, 1))

    def interest(self) -> str:
        """Interest on what was paid in advance and not performed (消法 53); the rate is no part of the law data."""
        if self.case.purpose is not Purpose.LIVING or self.case.problem not in _PREPAID:
            return ""
        if not self.case.purchase.paid_at_ms or (found := self.rule("prepaid")) is None:
            return ""
        since = datetime.fromtimestamp(self.case.purchase.paid_at_ms / 1000, CHINA)
        return (
            f"支付预付款的利息，自{since.year}年{since.month}月{since.day}日起至实际退还之日止，"
            f"按同期贷款市场报价利率计算（依据：{found.cite}）"
        )

    def total_fen(self) -> int | None:
        """What is claimed in money beside interest and alternatives; None when a sum is not known."""
        return self._sum(is_with_alternatives=False)

    def claimed_fen(self) -> int | None:
        """The same with the alternatives: what a court counts for its fee and its limits."""
        return self._sum(is_with_alternatives=True)

    def _sum(self, *, is_with_alternatives: bool) -> int | None:
        asked = [one for one in self.demand.figures if one.is_alternative or one.name in _IN_MONEY]
        sums = [one.amount_fen for one in asked if is_with_alternatives or not one.is_alternative]
        return None if not sums or None in sums else sum(one for one in sums if one is not None)

    def rule(self, name: str) -> Rule | None:
        """The rule in force, if the data know it."""
        try:
            return rule(name, self.on)
        except LawIsUnknown as error:
            if error.args[0] not in self.unknown_law:
                self.unknown_law.append(error.args[0])
            return None

    def preservation(self) -> tuple[str, ...]:
        """The request to keep and hand over what the platform keeps, while anything of it is not here."""
        if not preservation_needed(self.case):
            return ()
        keep, show = self.rule("keep_records"), self.rule("show_records")
        said = cited(one for one in (keep, show) if one)
        return (
            (
                f"请保存并提供本订单的商品页面快照、订单、交付和沟通记录（依据：{said}）。"
                "在争议解决以前，请不要删除或修改这些记录。"
            ),
        )

    def disclosure(self) -> tuple[str, ...]:
        """The request for the seller's name, address and contact, while they are not known."""
        seller = self.seller()
        if seller.name and (seller.address or seller.uscc):
            return ()
        found = self.rule("platform_liable")
        return (
            (
                f"请提供该店铺经营者的真实名称、地址和有效联系方式（依据：{found.cite if found else BLANK}）；"
                "不能提供的，本人将向平台要求赔偿。"
            ),
        )

    def seller(self) -> Party:
        """The seller as far as he is known."""
        found = next((one for one in self.case.respondents if one.kind != "platform"), None)
        return found or Party(shop=self.case.purchase.shop, platform=self.case.purchase.platform)

    def seller_line(self) -> str:
        """The seller in one line."""
        party = self.seller()
        parts = [party.name or (f"“{party.shop}”店铺经营者" if party.shop else "")]
        parts += [f"统一社会信用代码{party.uscc}" if party.uscc else "", party.address]
        line = "，".join(one for one in parts if one)
        return self.or_blank(line, "卖家名称")

    def signature(self) -> str:
        """Who writes."""
        return self.own(self.case.buyer.name, "本人姓名")


_IN_MONEY: Final = frozenset({"refund", "damages"})
_KINDS: Final = {
    FactKind.ORDER_NUMBER: "订单",
    FactKind.AMOUNT: "金额",
    FactKind.TIME: "时间",
    FactKind.CODE: "交付的激活码",
    FactKind.SHOP: "店铺",
    FactKind.PLATFORM: "平台",
    FactKind.TRANSACTION: "付款",
    FactKind.ERROR: "激活时的提示",
    FactKind.PROMISE: "商品说明或承诺",
    FactKind.PRODUCT: "商品",
}
