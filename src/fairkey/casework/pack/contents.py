"""What goes into a pack, computed from the case alone: the numbered list of evidence, the timeline, the words.

民事诉讼证据规定 (2019 amendment) art. 19: evidence is numbered; its source, purpose and content are
told shortly.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from fairkey.casework.model import Case, CaseFile, FactKind, FactRole, ProposedFact, StepTaken
from fairkey.casework.moments import moment_zh, ms_of_iso
from fairkey.casework.texts import Words, data, same, words

from .letter_like import PlainLetter, Section
from .masks import Masks

UNCONFIRMED: Final = "（识别所得，当事人尚未确认）"
_HOW_ZH: Final = {
    "screenshot": "截屏",
    "photo": "拍照",
    "recording": "录屏或录像",
    "export": "从平台或软件导出",
    "mail": "电子邮件原件",
    "page": "网页保存",
    "paper": "纸质材料扫描",
}
_ROLES: Final[Mapping[FactRole, Words]] = {
    one: words(f"roles.{one.value}") for one in FactRole if one is not FactRole.NONE
}
_ROLE_ZH: Final[Mapping[FactRole, str]] = {one: said.zh for one, said in _ROLES.items()}
_WHO: Final = {"me": "本人"}
_PROBLEM_ZH: Final = {
    "not_delivered": "付款后未交付",
    "delivered_late": "逾期交付",
    "partly_delivered": "只交付一部分",
    "already_used": "激活码已被使用",
    "not_valid": "激活码无效",
    "wrong_region": "地区不符",
    "wrong_product": "商品与约定不符",
    "expired_code": "激活码已过期",
    "revoked_later": "激活后被收回",
    "fake_stock": "标示有货而实际无货",
    "refund_refused": "拒绝退款",
    "seller_vanished": "卖家失联",
    "other": "其他",
}
_KIND_ZH: Final = {one: words(f"kinds.{one.value}").zh for one in FactKind}
_NOTED: Final = words("timeline.noted")
NOT_PROVEN: Final = (
    "不证明文件所载内容真实，只证明封存以后没有改动。",
    "不证明文件在封存之前未经剪辑或修改，也不证明由谁制作；拍摄、截屏的人和方式为当事人陈述。",
    "未加盖时间戳的文件，其时间仅为当事人设备的时钟所示。",
    "不证明材料完整：未收入本材料的内容可能存在。",
    "时间戳机构是否可信，由核验者自行选定的根证书决定；随附的根证书仅供比对。",
)


class Exhibit(NamedTuple):
    """One piece of evidence. `no` from 1."""

    no: int
    file: CaseFile
    path: str
    name: str
    source: str
    purpose: str


class Moment(NamedTuple):
    """A point of the timeline. `exhibits`: numbers of what shows it."""

    at_ms: int
    words: Words
    exhibits: tuple[int, ...]
    is_confirmed: bool


class Contents(NamedTuple):
    """Everything that a pack tells, masked."""

    case: Case
    exhibits: tuple[Exhibit, ...]
    timeline: tuple[Moment, ...]
    masks: Masks
    as_of_ms: int


def contents_of(
    case: Case, *, as_of_ms: int, shows_all: bool = False, purposes: Mapping[str, str] = MappingProxyType({})
) -> Contents:
    """Number the evidence, draw up the timeline, hide what need not be read. `as_of_ms`: when the case last changed.
    `purposes`: what letters say a file shows, by its SHA-256; what the person said of it comes first.
    """
    codes = [str(one.value) for one in case.facts if one.kind is FactKind.CODE]
    codes += [str(one.value) for one in case.proposed if one.kind is FactKind.CODE]
    masks = Masks(codes, is_off=shows_all)
    exhibits = tuple(_exhibit(number, file, case, masks, purposes) for number, file in enumerate(case.files, 1))
    return Contents(case, exhibits, _timeline(case, exhibits, masks), masks, as_of_ms)


def _exhibit(number: int, file: CaseFile, case: Case, masks: Masks, purposes: Mapping[str, str]) -> Exhibit:
    suffix = file.path.rpartition(".")[2].lower() if "." in file.path.rpartition("/")[2] else "bin"
    if not suffix.isascii() or not suffix.isalnum():
        suffix = "bin"
    made = f"，{moment_zh(file.capture.made_at_ms)}" if file.capture.made_at_ms else ""
    who = f"，制作人：{_WHO.get(file.capture.who, file.capture.who)}" if file.capture.who else ""
    source = f"{_HOW_ZH.get(file.capture.how, '当事人提供')}{made}{who}"
    path = f"evidence/{number:02}-{file.seal.sha256[:12]}.{suffix}"
    purpose = file.purpose or purposes.get(file.seal.sha256) or _purpose(file, case)
    return Exhibit(number, file, path, masks(file.name), masks(source), masks(purpose))


def _purpose(file: CaseFile, case: Case) -> str:
    """What a file shows, by the facts that point to it."""
    sha256 = file.seal.sha256
    confirmed = [_named(one.kind, one.role) for one in case.facts if sha256 in one.files]
    if confirmed:
        return "证明" + "、".join(dict.fromkeys(confirmed))
    proposed = [_named(one.kind, one.role) for one in case.proposed if one.file == sha256]
    return "拟证明" + "、".join(dict.fromkeys(proposed)) + UNCONFIRMED if proposed else "（证明目的待填写）"


def _named(kind: FactKind, role: FactRole) -> str:
    if kind is FactKind.TIME:
        return f"{_ROLE_ZH.get(role, '')}时间"
    return f"{'退款' if role is FactRole.REFUNDED else ''}{_KIND_ZH[kind]}"


def _timeline(case: Case, exhibits: Sequence[Exhibit], masks: Masks) -> tuple[Moment, ...]:
    numbers = {one.file.seal.sha256: one.no for one in exhibits}
    found: list[Moment] = []
    for fact in case.facts:
        at_ms = _at_ms(fact.value) if fact.kind is FactKind.TIME else None
        if at_ms is not None:
            shown = tuple(sorted(numbers[one] for one in fact.files if one in numbers))
            found.append(Moment(at_ms, _ROLES.get(fact.role, _NOTED), shown, is_confirmed=True))
    bought = case.purchase
    for role, at_ms in (
        (FactRole.ORDERED, bought.ordered_at_ms),
        (FactRole.PAID, bought.paid_at_ms),
        (FactRole.DELIVERED, bought.delivered_at_ms),
        (FactRole.PROBLEM, bought.problem_at_ms),
    ):
        if at_ms and not any(one.at_ms // 60_000 == at_ms // 60_000 and one.words == _ROLES[role] for one in found):
            found.append(Moment(at_ms, _ROLES[role], (), is_confirmed=True))
    confirmed = {said for one in case.facts if one.kind is FactKind.TIME for said in (one.value, one.read)}
    left = [one for one in case.proposed if one.value not in confirmed]
    found += _proposed(left, numbers, {(one.at_ms // 60_000, one.words) for one in found}, masks)
    found += [Moment(one.at_ms, _step(one, masks), (), is_confirmed=True) for one in case.steps]
    return tuple(sorted(found, key=lambda one: (one.at_ms, one.words.zh)))


def _step(step: StepTaken, masks: Masks) -> Words:
    """What was done on a channel, in words, with what came of it."""
    told = data().texts
    channel = told["channels"].get(step.channel) or same(step.channel)
    stage = told["stages"].get(step.stage) or same(step.stage)
    done = words("timeline.step", channel=channel, stage=stage)
    return done + same(f" {masks(step.outcome)}") if step.outcome else done


def _proposed(
    facts: Sequence[ProposedFact], numbers: dict[str, int], known: set[tuple[int, Words]], masks: Masks
) -> list[Moment]:
    shown: dict[tuple[int, Words], set[int]] = {}
    for fact in facts:
        at_ms = _at_ms(fact.value) if fact.kind is FactKind.TIME else None
        if at_ms is None:
            continue
        read = masks(fact.text[:30])
        said = _ROLES.get(fact.role) or (same(read) if read else _NOTED)
        if (at_ms // 60_000, said) not in known:
            shown.setdefault((at_ms, said), set()).update({numbers[fact.file]} if fact.file in numbers else set())
    return [Moment(at, said, tuple(sorted(those)), is_confirmed=False) for (at, said), those in shown.items()]


def _at_ms(value: int | str) -> int | None:
    return ms_of_iso(str(value))


def plain_letter(contents: Contents) -> PlainLetter:
    """A statement of facts, where no channel's letter is given: only what is confirmed, and what is not is marked."""
    case, masks = contents.case, contents.masks
    bought = case.purchase
    rows = [
        ("平台", bought.platform),
        ("店铺", bought.shop),
        ("订单号", bought.order_number),
        ("商品", bought.product),
        ("支付金额", f"{bought.amount_fen / 100:.2f} 元" if bought.amount_fen else ""),
        ("支付流水号", bought.transaction),
        ("下单时间", moment_zh(bought.ordered_at_ms) if bought.ordered_at_ms else ""),
        ("付款时间", moment_zh(bought.paid_at_ms) if bought.paid_at_ms else ""),
        ("问题", _PROBLEM_ZH[case.problem.value] if case.problem.value != "other" else ""),
    ]
    facts = tuple(f"{name}：{masks(value)}" for name, value in rows if value)
    read = dict.fromkeys(_proposed_line(one, masks) for one in case.proposed if one.kind is not FactKind.TIME)
    sections = [
        Section("一、交易情况", facts or ("当事人尚未确认交易信息。",)),
        Section("二、经过", (masks(case.account) or "当事人尚未填写经过。",)),
    ]
    if read:
        sections.append(Section(f"三、材料中读到的信息{UNCONFIRMED}", tuple(list(read)[:40])))
    listed = tuple(f"证据{one.no}：{one.name}，{one.purpose}" for one in contents.exhibits)
    sections.append(Section("附：证据", listed or ("无",)))
    return PlainLetter(masks(case.title) or "情况说明", tuple(sections))


def _proposed_line(fact: ProposedFact, masks: Masks) -> str:
    is_money = fact.kind is FactKind.AMOUNT and isinstance(fact.value, int)
    value = f"{int(fact.value) / 100:.2f} 元" if is_money else str(fact.value)
    return f"{_named(fact.kind, fact.role)}：{masks(value)}"
