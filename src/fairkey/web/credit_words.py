"""Words of credit: what a band means, and why a line is there."""

from typing import Final

from fairkey.web.i18n import marked as _

BANDS: Final = {
    "normal": (_("All limits as usual"), "good", "check"),
    "throttled": (_("Limits halved, money held twice as long"), "wait", "warning"),
    "frozen": (_("No new orders until a person has looked at it"), "bad", "lock"),
}
WHY: Final = {
    "defect": _("Ruled against the shop"),
    "same_buyer": _("Ruled against the shop; the same buyer counts once in seven days"),
    "clean": _("Completed without a defect"),
    "review": _("A person looked at it and let the shop trade again"),
}
