"""Outside cases: a person's purchases on any platform, kept sealed for him alone."""

from typing import Any

from fairkey.web.cases import acts, letters, pages, taking, together

HANDLERS: list[Any] = [*pages.HANDLERS, *acts.HANDLERS, *taking.HANDLERS, *letters.HANDLERS, *together.HANDLERS]
