"""Panels for everybody, the docket of arbitrators, and their admission by the operator."""

from typing import Any

from fairkey.web.panels import admitting, docket, public

HANDLERS: list[Any] = [*public.HANDLERS, *docket.HANDLERS, *admitting.HANDLERS]
