"""All pages, area by area, and the files below `static/`."""

from typing import Any

from litestar.static_files import create_static_files_router

from fairkey.web import (
    account,
    buyer,
    cases,
    credit,
    guarantee,
    merchant,
    operator,
    outages,
    panels,
    programs,
    public_log,
    sanctions,
    standard,
    store,
    trace,
    verify,
)
from fairkey.web.i18n import WEB

STATIC_MAX_AGE_S = 365 * 86_400  # addresses carry a fingerprint of the content


def handlers() -> list[Any]:
    """Everything the site mounts."""
    static = create_static_files_router(
        path="/static",
        directories=[WEB / "static"],
        cache_control=None,
        include_in_schema=False,
        name="static",
    )
    return [
        static,
        *store.HANDLERS,
        *buyer.HANDLERS,
        *cases.HANDLERS,
        *account.HANDLERS,
        *merchant.HANDLERS,
        *operator.HANDLERS,
        *programs.HANDLERS,
        *verify.HANDLERS,
        *public_log.HANDLERS,
        *standard.HANDLERS,
        *credit.HANDLERS,
        *guarantee.HANDLERS,
        *sanctions.HANDLERS,
        *outages.HANDLERS,
        *panels.HANDLERS,
        *trace.HANDLERS,
    ]
