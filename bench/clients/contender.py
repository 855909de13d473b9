"""What the desks among the contenders have in common: what they are given, when they end, what they say at the end."""

import argparse
import asyncio
import sys

from oms.system import OMS


def parser() -> argparse.ArgumentParser:
    """The arguments of each: where the venue is, its own name in addresses, its folder."""
    made = argparse.ArgumentParser()
    for name in ("rest", "ws", "name", "folder"):
        made.add_argument(f"--{name}", required=True)
    return made


async def until_input_ends() -> None:
    """Wait for the end of standard input."""
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def work_until_input_ends(work: "asyncio.Task[None]") -> None:
    """Let ``work`` go on until standard input ends. Raises what ``work`` raised."""
    ended = asyncio.ensure_future(until_input_ends())
    await asyncio.wait({work, ended}, return_when=asyncio.FIRST_COMPLETED)
    if work.done():
        work.result()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def say_books(oms: OMS) -> None:
    """Say whether its books are the venue's, once nothing is under way."""
    await oms.wait_idle(10.0)
    proof = await oms.verify()
    print("consistent" if proof.consistent else "; ".join(proof.problems), flush=True)
