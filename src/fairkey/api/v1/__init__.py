"""Version 1 of the API; `HANDLERS` is what the application mounts."""

from typing import Any

HANDLERS: list[Any] = []
