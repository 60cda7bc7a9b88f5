"""Ways a letter leaves the house, behind the port `Mail` of `fairkey.effects.ports`."""
