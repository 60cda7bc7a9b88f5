"""The public page that verifies receipts in the visitor's browser, and the same page as one file to keep."""

from typing import Any

from fairkey.web.verify import page

HANDLERS: list[Any] = [*page.HANDLERS]
