"""`/verify` and `/verify.html`. The server only hands out the page: what is verified never reaches it."""

from typing import Final

from litestar import MediaType, Response, get
from litestar.di import NamedDependency

from fairkey.engine.house import House
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.render import PageContext, content_security_policy, render
from fairkey.web.verify.saved import saved_page, words_of

FILE_NAME: Final = "fairkey-verify.html"


def policy_without_network(context: PageContext) -> str:
    """The page's content policy, with which a browser lets no script of it talk to anybody."""
    return content_security_policy(context.form_targets).replace("connect-src 'self'", "connect-src 'none'")


@get("/verify")
async def verify(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The page; its content policy forbids scripts to open any connection."""
    context = frame(request, house)
    policy = (await house.log.status()).policy
    answer = render(context, "verify/page.html", policy=policy, words=words_of(context.locale), is_saved=False)
    answer.headers["Content-Security-Policy"] = policy_without_network(context)
    return answer


@get("/verify.html")
async def verify_saved(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The page as one file, to be saved and opened without a network."""
    context = frame(request, house)
    return Response(
        saved_page(context, (await house.log.status()).policy),
        media_type=MediaType.HTML,
        headers={"Content-Disposition": f'attachment; filename="{FILE_NAME}"', "Cache-Control": "no-store"},
    )


HANDLERS: Final = [verify, verify_saved]
