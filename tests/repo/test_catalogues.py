"""Every sentence of the pages has its Chinese and nothing is left over; the tables of words know the whole business."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import fairkey.business
from fairkey.business import basics
from fairkey.business.basics import InstructionState, Refusal
from fairkey.business.codes import CodeStage
from fairkey.business.dispute_events import Outcome
from fairkey.business.dispute_state import ComplaintStage
from fairkey.business.orders import Stage
from fairkey.business.shops import Standing
from fairkey.web import catalogues
from fairkey.web.i18n import AREAS, LOCALES, WEB
from fairkey.web.icons import shapes
from fairkey.web.navigation import NAVIGATION
from fairkey.web.refusals import FIELDS, REASONS, REFUSALS, refusal_view
from fairkey.web.states import LOOKS


def test_the_chinese_catalogues_are_complete_and_hold_nothing_else() -> None:
    assert catalogues.problems() == []


def _web_with(folder: Path, template: str, entries: str) -> Path:
    (folder / "templates" / "buyer").mkdir(parents=True)
    (folder / "templates" / "buyer" / "order.html").write_text(template, encoding="utf-8")
    (folder / "locale" / "zh_CN").mkdir(parents=True)
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    for area in AREAS:
        text = head + (entries if area == "buyer" else "")
        (folder / "locale" / "zh_CN" / f"{area}.po").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("template", "entries", "problem"),
    [
        ("{{ _('Pay') }}", "", "missing: 'Pay'"),
        ("", 'msgid "Pay"\nmsgstr "付款"\n', "unused: 'Pay'"),
        ("{{ _('Pay') }}", 'msgid "Pay"\nmsgstr ""\n', "empty: 'Pay'"),
        ("{{ _('Pay') }}", '#, fuzzy\nmsgid "Pay"\nmsgstr "付款"\n', "fuzzy: 'Pay'"),
        ("{{ _('%(n)s codes', n=1) }}", 'msgid "%(n)s codes"\nmsgstr "%(m)s 个"\n', "uses %(m)s"),
        ("{{ _('Nine in ten') }}", 'msgid "Nine in ten"\nmsgstr "90% 的"\n', "lonely %"),
    ],
)
def test_each_fault_of_a_catalogue_is_named(tmp_path: Path, template: str, entries: str, problem: str) -> None:
    [found] = catalogues.problems(_web_with(tmp_path, template, entries))
    assert problem in found
    assert found.startswith("buyer.po: ")


def test_missing_entries_are_printed_ready_to_fill(tmp_path: Path) -> None:
    template = "{{ _('Say \"yes\"') }}{{ ngettext('%(num)s code', '%(num)s codes', 2) }}{{ pgettext('verb', 'Open') }}"
    web = _web_with(tmp_path, template, "")
    printed = "\n".join(catalogues.po_entry(entry) for entry in catalogues.missing("buyer", web))
    assert 'msgid "Say \\"yes\\""\nmsgstr ""\n' in printed
    assert 'msgid "%(num)s code"\nmsgid_plural "%(num)s codes"\nmsgstr[0] ""\n' in printed
    assert 'msgctxt "verb"\nmsgid "Open"\n' in printed
    assert catalogues.missing("store", web) == []


def _business_refusals() -> set[str]:
    for module in pkgutil.walk_packages(fairkey.business.__path__, "fairkey.business."):
        importlib.import_module(module.name)
    found: set[str] = set()
    waiting: list[type[Refusal]] = [Refusal]
    while waiting:
        below = [kind for kind in waiting.pop().__subclasses__() if kind.__module__.startswith("fairkey.business")]
        waiting += below
        found |= {kind.__name__ for kind in below}
    return found


def test_every_refusal_of_the_business_has_words() -> None:
    assert _business_refusals() - REFUSALS.keys() == set()


def _calls_of_require() -> list[tuple[str, str]]:
    """(field, why) of every `require(…, "field", "why")` in the business."""
    pattern = re.compile(r'require\([^"]*(?:"[^"]*"[^",]*)*?,\s*"(\w+)",\s*"(\w+)",?\s*\)', re.DOTALL)
    folder = Path(str(basics.__file__)).parent
    return [found for path in sorted(folder.rglob("*.py")) for found in pattern.findall(path.read_text("utf-8"))]


def test_every_field_and_reason_of_the_business_has_words() -> None:
    calls = _calls_of_require()
    assert len(calls) > 20
    assert {field for field, _ in calls} - FIELDS.keys() == set()
    assert {why for _, why in calls} - REASONS.keys() == set()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_no_refusal_leaves_a_placeholder_unfilled(name: str, locale: str) -> None:
    view = refusal_view(name, {}, "zh_CN" if locale == "zh_CN" else "en")
    assert all(text and "%(" not in text for text in (view.what, view.why, view.next_step))


@pytest.mark.parametrize(
    ("kind", "states"),
    [
        ("order", Stage),
        ("code", CodeStage),
        ("shop", Standing),
        ("complaint", ComplaintStage),
        ("outcome", Outcome),
        ("payout", InstructionState),
        ("refund", InstructionState),
        ("release", InstructionState),
    ],
)
def test_every_state_has_a_look(kind: str, states: type[Stage]) -> None:
    assert {state.value for state in states} <= LOOKS[kind].keys()


def test_looks_and_navigation_use_icons_that_exist() -> None:
    used = {look.icon for states in LOOKS.values() for look in states.values()}
    used |= {entry.icon for entries in NAVIGATION.values() for entry in entries}
    assert used <= shapes().keys()


def test_dark_colours_are_the_same_by_wish_and_by_system() -> None:
    css = (WEB / "static" / "fairkey.css").read_text(encoding="utf-8")
    by_system = re.search(r':root:not\(\[data-theme="light"\]\) \{(.*?)\}', css, re.DOTALL)
    by_wish = re.search(r'\n:root\[data-theme="dark"\] \{(.*?)\}', css, re.DOTALL)
    assert by_system is not None
    assert by_wish is not None
    assert by_system[1].split() == by_wish[1].split()


def test_pages_hold_nothing_that_the_content_policy_forbids() -> None:
    forbidden = re.compile(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)")
    offenders = [
        f"{path.relative_to(WEB)}: {found[0]!r}"
        for path in sorted((WEB / "templates").rglob("*.html"))
        for found in forbidden.finditer(path.read_text(encoding="utf-8"))
    ]
    assert offenders == []


def test_only_literals_are_translated_as_markup() -> None:
    calls = re.compile(r"""[\s{(=,~\[](?:_|gettext)\(\s*(?!['"])\S+""")
    offenders = [
        f"{path.relative_to(WEB)}: {found[0].strip()!r}"
        for path in sorted((WEB / "templates").rglob("*.html"))
        for found in calls.finditer(path.read_text(encoding="utf-8"))
    ]
    assert offenders == []


def _luminance(colour: str) -> float:
    """Relative luminance of ``#rgb`` or ``#rrggbb`` (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("block", [r"\n:root \{(.*?)\n\}", r'\n:root\[data-theme="dark"\] \{(.*?)\n\}'])
def test_colours_have_enough_contrast(block: str) -> None:
    css = (WEB / "static" / "fairkey.css").read_text(encoding="utf-8")
    found = re.search(block, css, re.DOTALL)
    assert found is not None
    colour = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", found[1]))
    text = [(ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in ("paper", "sheet", "sunk")]
    text += [(tone, f"{tone}-wash") for tone in ("hold", "good", "wait", "bad", "back", "mute")]
    text += [("ink", f"{tone}-wash") for tone in ("hold", "good", "wait", "bad", "back", "mute")]
    text += [("seal", ground) for ground in ("paper", "sheet", "seal-wash")] + [
        ("on-act", "act"),
        ("on-act", "act-over"),
    ]
    text += [("bad", "sheet"), ("bad", "paper"), ("good", "sheet"), ("wait", "sheet"), ("ink-3", "hold-wash")]
    text += [("on-seal", "seal"), ("ink-2", "hold-wash")]
    shapes_ = [("edge", "sheet"), ("edge", "paper"), ("focus", "paper"), ("focus", "sheet"), ("on-mark", "mark")]
    low = {
        (ink, ground): round(_contrast(colour[ink], colour[ground]), 2)
        for pairs, least in ((text, 4.5), (shapes_, 3.0))
        for ink, ground in pairs
        if _contrast(colour[ink], colour[ground]) < least
    }
    assert low == {}
