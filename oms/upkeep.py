"""The journal's upkeep: a failure is noticed though nobody writes, a full segment is followed by a new one.

The disk flush is not awaited, so a flush that failed is found here, within ``EVERY_S``; a write that failed is found by
whoever wrote, and here too. Either way the desk is halted: nothing new is sent and makers are cancelled.

A new segment's checkpoint is what a replay of the journal tells, made by a process beside the desk's: meanwhile the
desk goes on, and its records are taken along. With it, finished orders are put away (``oms.put_away``).
"""

import asyncio
from typing import TYPE_CHECKING

from oms import segment_head
from oms.journal import JournalError
from oms.recovery import Past

if TYPE_CHECKING:
    from oms.system import OMS

EVERY_S = 0.5
"""How long a failed flush may go unnoticed."""
MOMENT_S = 0.02
"""How often it is looked whether all is quiet, once something waits for that: such moments may be short."""
PATIENCE_S = 5.0
"""How long finished orders wait for a quiet moment: it spares a fill that comes just then some milliseconds."""
AGAIN_S = 60.0
"""Wait after a segment could not be begun: the old one goes on meanwhile."""


def follow_at_start(oms: "OMS", past: Past) -> None:
    """Before the desk starts: follow a full segment by one that begins with ``past``. What fails is told."""
    journal = oms.journal
    if journal.full:
        try:
            journal.begin_segment(journal.draft(past.checkpoint(), journal.mark()))
        except JournalError as error:
            _tell(oms, error)


async def keep_journal(oms: "OMS") -> None:
    """Watch the journal until cancelled: halt the desk once it has failed, follow a full segment when all is quiet.

    A segment is followed before it is full where many orders have finished in it, and by a desk that is never quiet
    too: its memory must not grow for that.
    """
    loop = asyncio.get_running_loop()
    not_before = 0.0
    waits_since: float | None = None
    while True:
        await asyncio.sleep(EVERY_S if waits_since is None else MOMENT_S)
        failed = oms.journal.failed
        if failed is not None:
            oms.halt(f"the journal cannot be written: {failed}")
            return
        now, due = loop.time(), oms.put_away.due
        if now < not_before or not (oms.journal.full or due):
            waits_since = None
            continue
        waits_since = now if waits_since is None else waits_since
        if oms.idle or (due and now - waits_since >= PATIENCE_S):
            waits_since = None
            try:
                await follow(oms)
            except JournalError as error:
                _tell(oms, error)
                not_before = loop.time() + AGAIN_S


async def follow(oms: "OMS") -> None:
    """Begin a new segment, without the orders that are finished. Raises JournalError: then the old one goes on."""
    journal = oms.journal
    ended, told = await oms.put_away.may_leave()
    mark = journal.mark()
    head = segment_head.answered(await journal.apart(segment_head.make, segment_head.errand(mark, told)))
    journal.begin_segment(head.draft)
    await oms.put_away.begun(head, ended)


def _tell(oms: "OMS", error: JournalError) -> None:
    if oms.journal.failed is None:
        oms.alert("", "", f"the journal goes on in its old segment: {error}")
