"""Payment providers behind the port of `fairkey.effects.ports`."""
