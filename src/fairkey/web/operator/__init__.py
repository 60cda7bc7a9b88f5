"""Pages of this area; `HANDLERS` is what the site mounts."""

from typing import Any

HANDLERS: list[Any] = []
