"""A scenario that stands at its end, for tests of what is said about one."""


class Still:
    """Plays nothing; it has been played, and remembers its pace."""

    scenario = "still"
    end = 0

    def __init__(self) -> None:
        self.speed = 1000
        self.is_paused = False

    def play(self, speed: int, *, is_paused: bool) -> None:
        """Remember."""
        self.speed, self.is_paused = speed, is_paused

    async def report(self) -> bytes:
        """A page that says nothing."""
        return b"<!doctype html><title>nothing was played</title>"
