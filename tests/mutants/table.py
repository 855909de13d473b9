"""The broken rules: what to replace, exactly, and which tests are there to notice.

Each is a mistake that a hedging system has really made (docs/reliability.md). A text that is not found exactly once
fails the run: the table must follow the source.
"""

import msgspec

KERNEL = ("tests/oms/test_kernel.py", "tests/oms/test_kernel_properties.py")
ORDERS = ("tests/oms/test_orders.py",)
ENTRY = ("tests/oms/test_order_entry.py",)
AWAY = ("tests/oms/test_put_away.py", "tests/oms/test_put_away_properties.py")
OUTAGES = ("tests/oms/test_kernel_outages.py", "tests/oms/test_outages.py")


class Change(msgspec.Struct, frozen=True):
    """Replace ``old``, which must stand exactly once in ``path``, by ``new``."""

    path: str
    old: str
    new: str


class Mutant(msgspec.Struct, frozen=True):
    """One broken rule."""

    rule: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]
    """Tests of examples and properties that should notice; the state machine should always."""


MUTANTS = (
    Mutant(
        "resend the same id",
        (
            Change(
                "oms/entry.py",
                "                    answer = await (begun or self._gateway.venue(venue).place(order, hedge=hedge))\n",
                "                    try:\n"
                "                        place = begun or self._gateway.venue(venue).place(order, hedge=hedge)\n"
                "                        answer = await place\n"
                "                    except Unknown:\n"
                "                        answer = await self._gateway.venue(venue).place(order, hedge=hedge)\n",
            ),
        ),
        ENTRY,
    ),
    Mutant(
        "an error means not sent",
        (
            Change(
                "oms/entry.py",
                "        except (Denied, Unavailable, Rejected) as error:\n            reason =",
                "        except (Denied, Unavailable, Rejected, Unknown) as error:\n            reason =",
            ),
        ),
        ENTRY,
    ),
    Mutant(
        "per-message deltas with a stored balance",
        (
            Change(
                "oms/oid_evidence.py",
                "self.cum if not self.traded or abs(self.cum) >= abs(self.traded) else self.traded\n",
                "self.traded\n",
            ),
            Change(
                "oms/hedge/state.py",
                "        return self.target - self.hedged - self.in_flight - self.forfeited\n",
                "        return sum((item.quantity for item in self.obligations), ZERO)\n",
            ),
        ),
        (*ORDERS, *KERNEL),
    ),
    Mutant(
        "journal after send",
        (
            Change(
                "oms/hedge/dispatch.py",
                '                intents = [("Intended", each.intended(now)) for each in sends]\n',
                "                intents: list[tuple[str, e.Intended]] = []\n",
            ),
            Change(
                "oms/hedge/dispatch.py",
                "        return _Left(command, entered, sending, sent_ns)\n",
                "        asyncio.get_running_loop().call_later(\n"
                '            0.001, self._record, "Intended", command.intended(now), cause\n'
                "        )\n"
                "        return _Left(command, entered, sending, sent_ns)\n",
            ),
        ),
        ("tests/oms/test_intents.py",),
    ),
    Mutant(
        "a cancel request closes the group",
        (
            Change(
                "oms/evidence.py",
                "    if evidence.key in kernel.makers:\n",
                "    closed = {OrderStatus.CANCEL_PENDING, OrderStatus.CANCELLED}\n"
                "    if evidence.key in kernel.makers and evidence.status in closed:\n"
                "        return None\n"
                "    if evidence.key in kernel.makers:\n",
            ),
        ),
        ("tests/faults/test_cancel_faults.py",),
    ),
    Mutant(
        "unknown as zero",
        (
            Change(
                "oms/hedge/state.py",
                "        if self.state is ChildState.DONE:\n            return ZERO\n",
                "        if self.state in {ChildState.DONE, ChildState.UNKNOWN}:\n            return ZERO\n",
            ),
        ),
        KERNEL,
    ),
    Mutant(
        "one not-found is enough",
        (
            Change(
                "oms/absence.py",
                "            self.first_ns = answered_ns\n            return False\n",
                "            self.first_ns = answered_ns\n            return True\n",
            ),
        ),
        KERNEL,
    ),
    Mutant(
        "not waiting for the acceptance bound",
        (
            Change(
                "oms/absence.py", "        if answered_ns <= self.accept_until_ns:\n", "        if answered_ns <= 0:\n"
            ),
            Change(
                "oms/absence.py", "        if self.first_ns <= self.accept_until_ns:", "        if self.first_ns == 0:"
            ),
        ),
        KERNEL,
    ),
    Mutant(
        "an end is believed unconfirmed",
        (
            Change(
                "oms/hedge/kernel.py",
                "            if how is How.JOIN and child.in_flight != 0 and child.rested_until(event.reason):\n",
                "            if False:\n",
            ),
        ),
        ("tests/oms/test_kernel_ends.py",),
    ),
    Mutant(
        "a delayed obligation is hedged early",
        (
            Change(
                "oms/hedge/decision.py",
                "        if item.due_ns <= now_ns:\n            due +=",
                "        if True:\n            due +=",
            ),
            Change(
                "oms/hedge/kernel.py",
                "ledger.take(book, amount, self.now_ns)",
                "ledger.take(book, amount, None)",
            ),
        ),
        KERNEL,
    ),
    Mutant(
        "a query error means not found",
        (Change("oms/unknowns.py", "        except NotFound as error:\n", "        except VenueError as error:\n"),),
        ("tests/faults/test_entry_faults.py",),
    ),
    Mutant(
        "a duplicate trade is counted twice",
        (
            Change(
                "oms/oid_evidence.py",
                "        if fill.trade_id in self.trade_ids:\n            return False\n",
                "",
            ),
        ),
        ORDERS,
    ),
    Mutant(
        "filled may fall",
        (
            Change(
                "oms/oid_evidence.py",
                "        if abs(cum) > abs(self.cum):\n",
                "        if True:\n",
            ),
        ),
        ORDERS,
    ),
    Mutant(
        "floor instead of toward zero",
        (
            Change(
                "gateways/contracts.py",
                "    return _to_step(value, step, ROUND_DOWN)\n",
                "    return _to_step(value, step, ROUND_FLOOR)\n",
            ),
        ),
        KERNEL,
    ),
    Mutant(
        "the lot's remainder is dropped",
        (
            Change(
                "oms/hedge/kernel.py",
                "            quantity = growth * leg.ratio\n",
                "            quantity = growth * leg.ratio\n"
                "            if book.contract is not None:\n"
                "                quantity = decision.floor_lots(book.contract, quantity)\n",
            ),
        ),
        KERNEL,
    ),
    Mutant(
        "the rest of a half-filled hedge is dropped",
        (
            Change(
                "oms/hedge/ledger.py",
                "        if rest != 0:\n            book.share(",
                "        if rest != 0 and child.cum == 0:\n            book.share(",
            ),
        ),
        KERNEL,
    ),
    Mutant(
        "hedge orders as makers",
        (
            Change(
                "oms/hedge/kernel.py",
                "        self.children[cloid] = child\n",
                "        self.children[cloid] = child\n"
                "        legs = self.makers[claims[0].maker].legs\n"
                "        self.makers[cloid] = Maker(cloid, book.venue, book.ticker, legs, ts_ns)\n",
            ),
        ),
        KERNEL,
    ),
    Mutant(
        "an unwind is asked for twice",
        (
            Change(
                "oms/hedge/failures.py",
                "        asked = bool(book.hold or book.unwinding)\n",
                "        asked = False\n",
            ),
        ),
        ("tests/oms/test_unwinds.py",),
    ),
    Mutant(
        "an acknowledged order is asked about by nobody",
        (
            Change(
                "oms/reconcile.py",
                "(order.status is not OrderStatus.PENDING or order.oid is not None)",
                "order.status is not OrderStatus.PENDING",
            ),
        ),
        ("tests/oms/test_pending.py",),
    ),
    Mutant(
        "makers of a HOLD rest on after a restart",
        (Change("oms/recovery.py", "        if book.hold:\n", "        if False:\n"),),
        ("tests/oms/test_restart_stops.py",),
    ),
    Mutant(
        "a hedge that the journal lacks is sent again",
        (Change("oms/recovery.py", "    await strangers.look_at_fills(oms, exc, news)\n", ""),),
        ("tests/oms/test_strangers.py",),
    ),
    Mutant(
        "a rate limit is a failure",
        (
            Change(
                "oms/hedge/failures.py",
                "    if reason is RejectReason.RATE_LIMIT:\n",
                "    if False:\n",
            ),
        ),
        ("tests/oms/test_rate_limits.py",),
    ),
    Mutant(
        "a venue that is down is sent to",
        (
            Change(
                "oms/hedge/decision.py",
                "    if book.down:\n        return _wait(",
                "    if False:\n        return _wait(",
            ),
        ),
        OUTAGES,
    ),
    Mutant(
        "the venue's return releases every hold",
        (
            Change(
                "oms/hedge/kernel.py",
                '            book.down = ""\n        return books\n',
                '            book.down = book.hold = ""\n        return books\n',
            ),
        ),
        OUTAGES,
    ),
    Mutant(
        "an outage ends by an answer from before it",
        (Change("oms/outages.py", " or began_ns < outage.since_ns", ""),),
        OUTAGES,
    ),
    Mutant(
        "a hedge that was seen is given up by one answer",
        (
            Change("oms/unknowns.py", "        return self._absent(order.key) and proven\n", "        return True\n"),
            Change(
                "oms/unknowns.py",
                "        if order.oid is not None and not proven:\n            return False",
                "        if order.oid is not None:\n            return True",
            ),
        ),
        ("tests/oms/test_forgotten_hedges.py",),
    ),
    Mutant(
        "a jump of the UTC clock moves what is due",
        (
            Change(
                "oms/clock.py",
                "        return self._start_ns + self._source.monotonic_ns()\n",
                "        return self._source.now_ns()\n",
            ),
        ),
        ("tests/oms/test_clock.py",),
    ),
    Mutant(
        "an unwind is forgotten by a restart",
        (Change("oms/recovery.py", "    cut = list(oms.kernel.unwinds.values())", "    cut = []"),),
        ("tests/oms/test_unwind_restart.py",),
    ),
    Mutant(
        "put away: a late fill of an order that left is not looked up",
        (
            Change(
                "oms/order_store.py",
                "        found = self._archive.get(key, self.upto) if self.upto else None\n",
                "        found = None\n",
            ),
        ),
        AWAY,
    ),
    Mutant(
        "put away: a fill that names the venue's id alone is not looked up",
        (
            Change(
                "oms/order_store.py",
                "        key = self._archive.key_of(venue, ticker, oid, self.upto) if self.upto else None\n",
                "        key = None\n",
            ),
        ),
        AWAY,
    ),
    Mutant(
        "put away: a replay does not look up what its checkpoint leaves out",
        (Change("oms/recovery.py", "        past.name(evidence.key, archive)\n", ""),),
        AWAY,
    ),
    Mutant(
        "put away: a hedge order comes back without the makers that it answers",
        (
            Change(
                "oms/order_store.py",
                "            self.get(claim.maker)  # where it fails, nothing has come back by half\n",
                "            pass\n",
            ),
            Change(
                "oms/recovery.py",
                "                self.name(claim.maker, archive)\n",
                "                pass\n",
            ),
        ),
        AWAY,
    ),
    Mutant(
        "put away: a row counts though its segment never began",
        (
            Change(
                "oms/archive.py",
                'WHERE key = ? AND mark <= ? ORDER BY mark DESC LIMIT 1", key, upto)',
                'WHERE key = ? AND mark < ? ORDER BY mark DESC LIMIT 1", key, 1 << 60)',
            ),
        ),
        AWAY,
    ),
    Mutant(
        "put away: what changed while the archive was written is forgotten",
        (
            Change(
                "oms/put_away.py",
                "            same = page.peek(each.key) is ended[each.key] and unchanged(oms.kernel, each)\n",
                "            same = page.peek(each.key) is not None\n",
            ),
        ),
        AWAY,
    ),
    Mutant(
        "put away: the order of an unwind leaves before it is settled",
        (Change("oms/finished.py", " and key not in kernel.unwinds)", ")"),),
        AWAY,
    ),
    Mutant(
        "put away: a maker leaves while a part of it waits",
        (
            Change(
                "oms/finished.py",
                "            if not any(share.in_flight or share.waiting for share in shares):\n",
                "            if not any(share.in_flight for share in shares):\n",
            ),
        ),
        AWAY,
    ),
    Mutant(
        "put away: a maker leaves while a hedge order in memory names it",
        (
            Change(
                "oms/finished.py",
                "            named.update(claim.maker for claim in child.claims)\n",
                "            pass\n",
            ),
        ),
        AWAY,
    ),
    Mutant(
        "put away: the checkpoint leaves out what the archive does not have",
        (
            Change(
                "oms/segment_head.py",
                "            journal.archive.put(gone, mark.number, past.upto)\n",
                "            pass\n",
            ),
        ),
        AWAY,
    ),
    Mutant(
        "put away: a proof passes over the orders that left",
        (Change("oms/verify.py", "            if at_venue != order.filled:\n", "            if False:\n"),),
        AWAY,
    ),
    Mutant(
        "put away: the contracts of orders that left are not asked about",
        (
            Change(
                "oms/order_store.py",
                "            self.contracts[place] = max(self.contracts.get(place, 0), order.ts_recv_ns)\n",
                "            pass\n",
            ),
        ),
        AWAY,
    ),
)
