"""Errors about an input that cannot be used: one line that names what to mend.

A refused command is a value (see `rejections`). A file is read before there is any command, so a
bad one is an exception, the same one whatever the file is: prices, a scenario, a population. It
names the file, the field, the line where that is known, the reason and what to do.
"""


class InputError(ValueError):
    """A file, or a field of it, cannot be used. `str(error)` is one line, ready to be shown.

    `file` is its name as the caller gave it; `field` the column, key or argument at fault, or
    "file" for the file as a whole; `line` the line of a text file, counted from 1 with the header,
    or None.
    """

    def __init__(self, file: str, field: str, reason: str, line: int | None = None) -> None:
        """Keep the parts, all of them as arguments so that the error survives a process pool."""
        super().__init__(file, field, reason, line)
        self.file = file
        self.field = field
        self.reason = reason
        self.line = line

    def __str__(self) -> str:
        """`FILE: FIELD: reason`, with `line N: ` before the reason where the line is known."""
        place = "" if self.line is None else f"line {self.line}: "
        return " ".join(f"{self.file}: {self.field}: {place}{self.reason}".split())
