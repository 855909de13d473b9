"""A console attached to a served engine, painting a load of its own beside what the engine tells, in a real terminal.

Scheduled as ``hedgedesk attach`` schedules it.
"""

import argparse
import sys
from pathlib import Path

from bench.clients.console import Load
from console.carrier.attached import AttachedLink
from console.mailbox import Mailbox
from console.runtime import give_way


def main() -> int:
    """Attach, paint for so many seconds, end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--orders", type=int, default=5_000)
    parser.add_argument("--rate", type=int, default=10_000, help="order updates a second, made in this process; 0 none")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--beside", action="store_true", help="do not give way to the engine: for comparison")
    asked = parser.parse_args()
    if not asked.beside:
        give_way()
    from console.app import HedgedeskApp  # noqa: PLC0415 - after it gave way, as a user's console

    mailbox = Mailbox()
    load = Load(mailbox, orders=asked.orders, rate=asked.rate)
    with AttachedLink(asked.socket, mailbox=mailbox, name="bench") as link:
        app = HedgedeskApp(link)
        app.call_later(lambda: app.set_timer(asked.seconds, lambda: app.exit(0)))
        if asked.rate:
            load.start()
        app.run()
        if asked.rate:
            load.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
