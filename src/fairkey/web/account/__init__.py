"""Pages of a person: signing in and up, the account, links from mails; and what anybody may read about the house."""

from typing import Any

from fairkey.web.account import about, entrance, profile

HANDLERS: list[Any] = [*entrance.HANDLERS, *profile.HANDLERS, *about.HANDLERS]
