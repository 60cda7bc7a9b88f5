"""Pages about the API for people who write programs: every call, and what each problem means."""

from typing import Any

from fairkey.web.programs import reading

HANDLERS: list[Any] = [*reading.HANDLERS]
