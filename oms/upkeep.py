"""The journal's upkeep while a desk runs: a failure is noticed though nobody writes, a full segment is followed.

The disk flush is not awaited, so a flush that failed is found here, within ``EVERY_S``; a write that failed is found by
whoever wrote, and here too. Either way the desk is halted: nothing new is sent and makers are cancelled.
"""

import asyncio
from typing import TYPE_CHECKING

from oms.checkpoint import Checkpoint, checkpoint, orders_of
from oms.journal import JournalError

if TYPE_CHECKING:
    from oms.system import OMS

EVERY_S = 0.5
"""How long a failed flush may go unnoticed."""
AGAIN_S = 60.0
"""Wait after a segment could not be begun: the old one goes on meanwhile."""


def follow_segment(oms: "OMS", saved: Checkpoint) -> bool:
    """Go on in a new segment that begins with ``saved``; False, with the operator told, where that cannot be."""
    try:
        oms.journal.begin_segment(saved)
    except JournalError as error:
        oms.alert("", "", f"the journal goes on in its old segment: {error}")
        return False
    return True


def living(oms: "OMS") -> Checkpoint:
    """The checkpoint of a running desk."""
    return checkpoint(oms.kernel, *orders_of(oms.page), started_ns=oms.began_ns)


async def keep_journal(oms: "OMS") -> None:
    """Watch the journal until cancelled: halt the desk once it has failed, follow a full segment when all is quiet."""
    loop = asyncio.get_running_loop()
    not_before = 0.0
    while True:
        await asyncio.sleep(EVERY_S)
        failed = oms.journal.failed
        if failed is not None:
            oms.halt(f"the journal cannot be written: {failed}")
            return
        if oms.journal.full and oms.idle and loop.time() >= not_before and not follow_segment(oms, living(oms)):
            not_before = loop.time() + AGAIN_S
