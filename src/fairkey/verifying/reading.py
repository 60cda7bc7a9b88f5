"""Reading what strangers left: regular files only, never more than was asked for."""

import os
import stat
from pathlib import Path


class FileIsMissing(Exception):
    """There is no such file. The argument is its name."""


class FileCannotBeRead(Exception):
    """It is there, or may be, and cannot be read. The argument ends a sentence that begins with its name, which whoever
    knows it by a name of his own says in `name`.
    """

    name = "it"


class FileIsTooLong(FileCannotBeRead):
    """It holds more than anything of its kind may."""


def read_regular(path: Path, bytes_max: int) -> bytes:
    """The bytes of a regular file. A pipe or a device is never waited for.

    Raises `FileIsMissing`, `FileCannotBeRead`, `FileIsTooLong`.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError):
        raise FileIsMissing(str(path)) from None
    except (OSError, ValueError) as error:
        raise FileCannotBeRead(f"cannot be opened ({getattr(error, 'strerror', None) or error})") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileCannotBeRead("is no file")
    with os.fdopen(descriptor, "rb") as file:
        try:
            data = file.read(bytes_max + 1)
        except OSError as error:
            raise FileCannotBeRead(f"cannot be read ({error.strerror})") from None
    if len(data) > bytes_max:
        raise FileIsTooLong(f"has more than {bytes_max} bytes")
    return data
