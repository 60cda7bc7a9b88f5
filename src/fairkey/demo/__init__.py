"""`fairkey demo`: a small lively world on this machine, made by trading in it."""

from .running import run

__all__ = ["run"]
