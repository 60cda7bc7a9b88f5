"""`fairkey verdict verify`: does the published standard really say what was ruled? Needs no house and no server."""

import sys
from pathlib import Path

import rich_click as click

from fairkey.cli.verify import Teller, finish, given_by, json_option, memory_option, policy_option, roots_option
from fairkey.verifying.reports import plain
from fairkey.verifying.verdicts import CaseIsNotThere, verify_case


@click.group()
def verdict() -> None:
    """Rulings of complaints."""


@verdict.command()
@click.argument("case", type=click.Path(path_type=Path))
@policy_option
@roots_option
@memory_option
@json_option
def verify(
    case: Path,
    policy: Path | None,
    tsa_roots: Path | None,
    no_memory: bool,  # noqa: FBT001 - click passes options so
    as_json: bool,  # noqa: FBT001
) -> None:
    """Make the rulings of a case file again, and verify every receipt in it.

    Exit code 0: holds. 1: does not hold. 2: wrong call. 3: cannot tell.
    """
    given = given_by(policy, tsa_roots, no_memory=no_memory)
    teller = Teller(as_json=as_json)
    teller.trust(given.trust, str(case))
    try:
        reports = verify_case(case, given, teller.begin)
    except CaseIsNotThere as error:
        raise click.UsageError(f"{plain(str(error))}.") from None
    sys.exit(finish(teller, str(case), given.trust, reports, [], as_json=as_json))
