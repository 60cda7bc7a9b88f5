"""Is it written soberly? Passages of a writer's own words that an office or court would stumble over, with a neutral
wording for each. Suggestions: nothing is refused or changed.

民诉法解释 (2022) art. 210: a court has abuse and personal attacks taken out of a statement of claim before it is
filed. Words of the other side, in quotation marks and attributed to it, are evidence and passed over; so are titles
in 《》, fields such as 商品：… and 店铺：…, and the names that the caller gives.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final, NamedTuple

from fairkey.casework.model import Case
from fairkey.casework.texts import Words

from .language_words import NAMES, RULES, WHY, LanguageKind, Rule

TEXT_CHARS_MAX: Final = 50_000
_BLANK: Final = "\u3000"
_BEFORE_CHARS: Final = 40
_ENDS: Final = "。！？!?；;\n"
_OTHER_SIDE: Final = re.compile(
    r"(?:对方|卖家|商家|店家|店主|客服|老板|平台|店铺|他|她|系统|页面|详情页|标题|邮件|昵称|名称|聊天|原话|回复|答复|说|称|问|骂|威胁|辱骂|"
    r"写有|写明|写着|承诺|提示|显示|标注|发来|表示)[^“”「」『』。！？!?\n]{0,10}$"
)
_SAID_AFTER: Final = re.compile(
    r"^[^“”「」『』。！？!?\n]{0,6}(?:是|为)?(?:对方|卖家|商家|店主|客服|老板)(?:的)?(?:原话|说的|发的|回复)"
)
_QUOTED: Final = re.compile(r"“[^”\n]{0,500}”|「[^」\n]{0,500}」|『[^』\n]{0,500}』|\"[^\"\n]{0,500}\"")
_TITLE: Final = re.compile(r"《[^》\n]{1,80}》")
_FIELD: Final = re.compile(
    r"(?m)^\s*(?:商品(?:名称)?|产品(?:名称)?|订单商品|店铺(?:名称)?|卖家(?:名称|昵称)|案件类别|案由|报警事由|游戏(?:名称)?)[：:][^\n]*$"
)


class LanguageFinding(NamedTuple):
    """A passage, from character `start` up to `end` of the text, why it is pointed out, and what to write instead."""

    kind: LanguageKind
    start: int
    end: int
    text: str
    why_zh: str
    why_en: str
    instead_zh: str
    instead_en: str

    @property
    def why(self) -> Words:
        """Why it is pointed out."""
        return Words(self.why_zh, self.why_en)

    @property
    def instead(self) -> Words:
        """A neutral wording."""
        return Words(self.instead_zh, self.instead_en)


def findings(text: str, names: Iterable[str] = ()) -> tuple[LanguageFinding, ...]:
    """What to look at again in a text, in its order; passages do not overlap. Pure.

    `names`: of products, shops and persons in the matter, which are no words of the writer. Only the first
    `TEXT_CHARS_MAX` characters are read.
    """
    read = _own_words(text[:TEXT_CHARS_MAX], names)
    found = sorted(_finds(read), key=lambda one: (one[1], -one[2]))
    kept: list[LanguageFinding] = []
    for rule, start, end in found:
        if kept and start < kept[-1].end:
            continue
        why_zh, why_en = WHY[rule.kind]
        said = text[start:end]
        kept.append(LanguageFinding(rule.kind, start, end, said, why_zh, why_en, rule.instead_zh, rule.instead_en))
    return tuple(kept)


def findings_of(case: Case) -> tuple[LanguageFinding, ...]:
    """What to look at again in what the person wrote of a case; its products and shops are names."""
    parties = (case.buyer, *case.respondents)
    names = [case.purchase.product, case.purchase.shop, case.purchase.platform]
    names += [name for one in parties for name in (one.name, one.shop)]
    return findings(case.account, names)


def _finds(read: str) -> Iterator[tuple[Rule, int, int]]:
    for rule, pattern, before, after in _compiled():
        for match in pattern.finditer(read):
            start, end = match.span()
            if before and before.search(_sentence_before(read, start)):
                continue
            if after and after.search(read[end : end + _BEFORE_CHARS]):
                continue
            yield rule, start, end


@cache
def _compiled() -> tuple[tuple[Rule, re.Pattern[str], re.Pattern[str] | None, re.Pattern[str] | None], ...]:
    return tuple(
        (
            rule,
            re.compile(rule.pattern),
            re.compile(rf"(?:{rule.unless_before})$") if rule.unless_before else None,
            re.compile(rule.unless_after) if rule.unless_after else None,
        )
        for rule in RULES
    )


def _sentence_before(read: str, start: int) -> str:
    before = read[max(0, start - _BEFORE_CHARS) : start]
    return before[max(before.rfind(one) for one in _ENDS) + 1 :]


def _own_words(text: str, names: Iterable[str]) -> str:
    """The text with what is not the writer's own blanked out; every character keeps its place."""
    read = text
    for pattern in (_TITLE, _FIELD):
        read = pattern.sub(lambda found: _BLANK * len(found[0]), read)
    read = _QUOTED.sub(lambda found: _BLANK * len(found[0]) if _is_of_others(text, found) else found[0], read)
    for name in sorted({*NAMES, *(one for one in names if len(one) > 1)}, key=len, reverse=True):
        read = read.replace(name, _BLANK * len(name))
    return read


def _is_of_others(text: str, found: re.Match[str]) -> bool:
    before = text[max(0, found.start() - _BEFORE_CHARS) : found.start()]
    after = text[found.end() : found.end() + _BEFORE_CHARS]
    return bool(_OTHER_SIDE.search(before) or _SAID_AFTER.search(after))
