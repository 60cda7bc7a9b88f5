"""How amounts, times, languages and pages are written."""

from typing import Any

import pytest
from litestar import Litestar, Request, Response, get
from litestar.testing import TestClient

from fairkey.web import formats
from fairkey.web.charts import bar_layout
from fairkey.web.gallery import PAGES, page_text
from fairkey.web.i18n import LOCALES, Locale, choose_locale, texts_of
from fairkey.web.refusals import field_problem, refusal_view
from fairkey.web.render import PageContext, content_security_policy, page_context, render, render_refusal, render_text


@pytest.mark.parametrize(
    ("amount_fen", "text"),
    [(0, "¥0.00"), (5, "¥0.05"), (1250, "¥12.50"), (123456789, "¥1,234,567.89"), (-50, "−¥0.50"), (None, "—")],
)
def test_amounts(amount_fen: int | None, text: str) -> None:
    assert formats.fen(amount_fen) == text


def test_times_are_shown_in_shanghai_and_given_to_machines_in_utc() -> None:
    at_ms = 1_787_000_000_123
    assert formats.clock(at_ms, seconds=True) == "2026-08-18 04:53:20"
    assert formats.iso(at_ms) == "2026-08-17T20:53:20.123Z"


@pytest.mark.parametrize(
    ("length_ms", "chinese", "english"),
    [
        (0, "0秒", "0 sec"),
        (900_000, "15分钟", "15 min"),
        (5_400_000, "1小时30分钟", "1 hr, 30 min"),
        (259_200_000, "3天", "3 days"),
        (90_061_000, "1天1小时", "1 day, 1 hr"),
        (86_460_000, "1天1分钟", "1 day, 1 min"),
    ],
)
def test_durations_have_at_most_two_units(length_ms: int, chinese: str, english: str) -> None:
    assert formats.span_ms(length_ms, "zh_CN") == chinese
    assert formats.span_ms(length_ms, "en") == english.replace(",", "")


@pytest.mark.parametrize(
    ("share", "text"), [(0.9875, "98.8%"), (1, "100%"), (0.9999, "100%"), (0.0005, "0.1%"), (None, "—")]
)
def test_shares(share: float | None, text: str) -> None:
    assert formats.percent(share) == text


@pytest.mark.parametrize(("length", "text"), [(12, "12 B"), (1536, "1.5 KiB"), (10_485_760, "10.0 MiB"), (None, "—")])
def test_sizes(length: int | None, text: str) -> None:
    assert formats.size(length) == text


@pytest.mark.parametrize(
    ("query", "cookie", "header", "locale"),
    [
        (None, None, None, "zh_CN"),
        ("en", "zh_CN", "zh", "en"),
        (None, "en", "zh-CN", "en"),
        (None, None, "fr,en-GB;q=0.8,zh;q=0.5", "en"),
        (None, None, "en;q=0.1,zh-CN", "zh_CN"),
        ("xx", "yy", "fr;q=nonsense,,;;", "zh_CN"),
        (None, None, "en;q=0", "zh_CN"),
    ],
)
def test_language(query: str | None, cookie: str | None, header: str | None, locale: Locale) -> None:
    assert choose_locale(query=query, cookie=cookie, accept_language=header) == locale


def test_an_unknown_sentence_falls_back_to_english() -> None:
    assert texts_of("zh_CN").gettext("No such sentence") == "No such sentence"
    assert texts_of("zh_CN").ngettext("%(num)s listing", "%(num)s listings", 2) == "%(num)s 件商品"
    assert texts_of("en").ngettext("%(num)s listing", "%(num)s listings", 2) == "%(num)s listings"


def test_a_refusal_says_what_why_and_the_next_step_with_its_details() -> None:
    view = refusal_view("StockIsShort", {"wanted": 5, "left": 2}, "zh_CN")
    assert view.why == "你要 5 个，密库中还有 2 个。没有的码我们不卖。"
    view = refusal_view("BalanceIsTooLow", {"available_fen": 1250}, "en")
    assert view.why.startswith("¥12.50 are available now")
    view = refusal_view("FieldIsInvalid", {"field": "price_fen", "why": "out_of_range"}, "en")
    assert view.why == "Price: it is outside the allowed range."
    assert refusal_view("OrderIsInAnotherStage", {"stage": "expired"}, "en").why.endswith("Expired unpaid.")
    assert refusal_view("NeverHeardOf", None, "en").what == "This was not done."
    assert field_problem("too_long", "en") == "It is too long"


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("page", PAGES)
def test_example_pages_render(page: str, locale: Locale) -> None:
    text = page_text(page, locale)
    assert f'<html lang="{locale.replace("_", "-")}"' in text
    assert text.count("<h1") == 1


def test_bars_never_leave_the_chart() -> None:
    layout = bar_layout([("a", 0), ("b", 7), ("c", 1999)])
    assert next(mark.height for mark in layout.marks) == 0
    assert all(mark.y >= 0 and mark.y + mark.height <= layout.base_y + 0.1 for mark in layout.marks)
    assert bar_layout([]).marks == ()


def test_what_people_wrote_is_escaped_even_inside_translated_sentences() -> None:
    context = PageContext(locale="en")
    evil = "<script>alert(1)</script>"
    values = {"view": refusal_view("NotFound", None, "en"), "back": evil}
    assert evil not in render_text(context, "refused.html", **values)
    assert evil not in render_text(context.noticing(evil), "refused.html", **values)


@get("/page")
async def _page(request: Request[Any, Any, Any]) -> Response[str]:
    return render_refusal(page_context(request, now_ms=1_787_000_000_000), "NotFound", status_code=404, back="/")


def test_a_page_comes_in_the_asked_language_with_strict_headers_and_remembers_the_wish() -> None:
    with TestClient(Litestar([_page])) as client:
        first = client.get("/page?lang=en&theme=dark&q=a%26b")
        assert first.status_code == 404
        assert 'lang="en"' in first.text
        assert 'data-theme="dark"' in first.text
        assert "/page?q=a%26b&amp;lang=zh-CN" in first.text
        assert "unsafe" not in first.headers["content-security-policy"]
        assert first.headers["referrer-policy"] == "same-origin"
        assert first.headers["cache-control"] == "private, no-store"
        again = client.get("/page", headers={"accept-language": "zh-CN"})
        assert 'lang="en"' in again.text
        assert "set-cookie" not in again.headers


def test_the_payment_provider_may_be_named_as_a_target_of_forms() -> None:
    assert "form-action 'self' https://pay.example;" in content_security_policy(("https://pay.example",))
    response = render(PageContext(), "refused.html", view=refusal_view("NotFound", None, "en"), back="/")
    assert response.status_code == 200
