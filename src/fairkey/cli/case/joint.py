"""`fairkey case joint`: several sealed cases against one shop become one joint complaint."""

from pathlib import Path

import rich_click as click
from msgspec import to_builtins

from fairkey.casework.folder import CaseIsRefused
from fairkey.casework.joint.claims import JointIsRefused
from fairkey.casework.texts import told_of

from .parts import json_option, language, opened, say, speaking, tell, tell_of


@click.command()
@click.argument(
    "folders", metavar="CASE CASE…", nargs=-1, required=True, type=click.Path(file_okay=False, path_type=Path)
)
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The pack's folder; OUT.zip too.")
@click.option(
    "--representative",
    "representatives",
    multiple=True,
    type=click.IntRange(min=1),
    help="The number of a CASE whose person speaks for all; give it twice. Else the letter leaves room for names.",
)
@json_option
def joint(folders: tuple[Path, ...], out: Path, representatives: tuple[int, ...], as_json: bool) -> None:  # noqa: FBT001 - click passes options so
    """Make a joint complaint of sealed CASEs against one shop: one letter with all complainants and each one's claims,
    and each person's own pack. Names, phones and addresses of complainants stand in the letter in clear.
    """
    from fairkey.casework.joint.making import make_joint_pack  # noqa: PLC0415 - heavy
    from fairkey.casework.pack.making import PackIsRefused  # noqa: PLC0415 - heavy

    with speaking(as_json=as_json):
        try:
            made = make_joint_pack([opened(one) for one in folders], out, representatives=representatives)
        except (JointIsRefused, PackIsRefused) as error:
            raise CaseIsRefused(told_of(error)) from None
    figures = {
        "folder": str(made.folder),
        "zip": str(made.zip),
        "members": made.members,
        "manifest_sha256": made.manifest_sha256,
        "warnings": to_builtins(made.warnings),
    }

    def lines() -> None:
        for one in made.warnings:
            tell(f"! {one.of(language())}")
        tell_of("joint", count=made.members, folder=made.folder, zip=made.zip)
        tell_of("fingerprint", sha256=made.manifest_sha256)

    say(figures, lines, as_json=as_json)
