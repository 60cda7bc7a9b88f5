"""The gates: what every request passes before a page or the API answers it. Shared by `web` and `api`.

`front_door.FrontDoor` wraps the whole ASGI application (headers, addresses, limits, who is asking, forged forms);
`permissions` holds the one table route -> permission, enforced by one guard.
"""
