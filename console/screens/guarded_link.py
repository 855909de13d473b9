"""A link that answers with a sentence where the engine's own would raise: no form or key may fail because of it."""

from collections.abc import Callable

from console.link import Frame, Link, Preview, Reply


class GuardedLink:
    """The link's contract over another link. ``report`` is told of each error with what was being done."""

    def __init__(self, link: Link, report: Callable[[str, Exception], None]) -> None:
        self._link = link
        self._report = report
        self.outlives = link.outlives

    async def command(self, line: str) -> Reply:
        """Run a command line; an error says that the outcome is not known."""
        try:
            return await self._link.command(line)
        except Exception as error:  # noqa: BLE001  # told to the operator: the command may or may not have been done
            return self._reply(f"command {line!r}", error)

    async def preview(self, line: str) -> Preview:
        """Check a command line."""
        try:
            return await self._link.preview(line)
        except Exception as error:  # noqa: BLE001  # told to the operator, in the form
            return Preview(ok=False, error=self._reply(f"preview of {line!r}", error).error)

    def take(self) -> Frame | None:
        """What was published since the last call; nothing when that cannot be had."""
        try:
            return self._link.take()
        except Exception as error:  # noqa: BLE001  # the top bar says that the engine is silent
            self._report("frames", error)
            return None

    def watch(self, venue: str, ticker: str) -> None:
        """Ask for a contract's ladder."""
        try:
            self._link.watch(venue, ticker)
        except Exception as error:  # noqa: BLE001  # the ladder says that it has no book
            self._report(f"watch {venue}:{ticker}", error)

    async def stop(self, *, two_phase: bool) -> Reply:
        """End the engine."""
        try:
            return await self._link.stop(two_phase=two_phase)
        except Exception as error:  # noqa: BLE001  # told to the operator, in the dialog
            return self._reply("stop", error)

    def _reply(self, what: str, error: Exception) -> Reply:
        self._report(what, error)
        return Reply(ok=False, error=f"no answer from the engine, the outcome is not known: {error}")
