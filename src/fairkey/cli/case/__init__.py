"""`fairkey case`: an outside case in a folder on one's own machine, with no server and no account."""

import rich_click as click

from .capturing import capture, record
from .files import add, new, seal, show, verify
from .guiding import check, ics, path, remind, step
from .joint import joint
from .language import language
from .packing import pack, run
from .parts import lang_option
from .reading import confirm, read
from .taken import taken
from .telling import tell_case
from .writing import demand, letters


@click.group()
def case() -> None:
    """A purchase on any platform that went wrong: its files sealed, read, put in order, and made into a pack.

    Everything stays in one folder on this machine; nothing is sent anywhere unless a command says so.
    """


for command in (
    new,
    add,
    show,
    seal,
    verify,
    capture,
    record,
    pack,
    run,
    read,
    confirm,
    taken,
    tell_case,
    check,
    demand,
    letters,
    path,
    step,
    ics,
    remind,
    language,
    joint,
):
    case.add_command(lang_option(command))
