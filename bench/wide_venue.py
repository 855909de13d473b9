"""The bench venue with many contracts, and with makers that a contender names: it tells of them whatever is asked."""

import asyncio
import random
from typing import Any, NamedTuple

import msgspec

from bench.binance_venue import CONTRACT, PRICE, BinanceVenue, now_ms
from bench.socket_server import Socket

_json = msgspec.json.encode


class Resting(NamedTuple):
    """A maker as a contender named it."""

    cloid: str
    ticker: str
    side: str


class WideVenue(BinanceVenue):
    """Tells of fills and amends of the makers that clients named on their ``report`` connections."""

    def __init__(self, contracts: int) -> None:
        super().__init__(lambda *_: None)
        self._symbols = [
            CONTRACT | {"symbol": f"T{number}USDT", "pair": f"T{number}USDT", "baseAsset": f"T{number}"}
            for number in range(contracts)
        ]
        self._listed: dict[str, list[Resting]] = {}
        self._filled: dict[str, dict[str, int]] = {}
        """By contender and maker, in thousandths."""
        self._told: dict[str, asyncio.Queue[int]] = {}
        self._trade = 0

    def listed(self, contender: str) -> list[Resting]:
        """What the contender named."""
        return self._listed.get(contender, [])

    async def reported(self, contender: str) -> int:
        """Wait for the contender's next word: the processor time of its last block, nanoseconds."""
        return await self._told.setdefault(contender, asyncio.Queue(16)).get()

    def fills(self, contender: str, makers: list[Resting]) -> list[bytes]:
        """A message for a fill of a lot of each, one after the other."""
        return [self._frame(contender, maker, filled=True) for maker in makers]

    def amends(self, contender: str, makers: list[Resting]) -> list[bytes]:
        """A message for a new price of each."""
        return [self._frame(contender, maker, filled=False) for maker in makers]

    def _frame(self, contender: str, maker: Resting, *, filled: bool) -> bytes:
        known, now = self._filled.setdefault(contender, {}), now_ms()
        total = known.get(maker.cloid, 0) + filled
        known[maker.cloid] = total
        self._trade += filled
        price = PRICE if filled else f"{random.randint(240_000, 249_999) / 100:.2f}"
        return _json({"e": "ORDER_TRADE_UPDATE", "E": now, "T": now, "o": {
            "s": maker.ticker, "c": maker.cloid, "S": maker.side, "o": "LIMIT", "f": "GTC", "q": "1000000",
            "p": price, "ap": PRICE if total else "0", "sp": "0", "x": "TRADE" if filled else "AMENDMENT",
            "X": "PARTIALLY_FILLED" if total else "NEW", "i": 1_000_000 + int(maker.cloid[-12:], 16),
            "l": "0.001" if filled else "0", "z": f"{total / 1_000:.3f}", "L": PRICE if filled else "0", "n": "0",
            "N": "USDT", "T": now, "t": self._trade if filled else 0, "b": "0", "a": "0", "m": True, "R": False,
            "wt": "CONTRACT_PRICE", "ot": "LIMIT", "ps": "BOTH", "cp": False, "rp": "0", "pP": False, "si": 0,
            "ss": 0, "V": "EXPIRE_MAKER", "pm": "NONE", "gtd": 0, "er": "0",
        }})  # fmt: skip

    def _answer(self, account: Any, path: str, params: dict[str, Any]) -> Any:
        said = super()._answer(account, path, params)
        if path == "/fapi/v1/exchangeInfo":
            return said | {"symbols": [*said["symbols"], *self._symbols]}
        return said

    def _said(self, socket: Socket, text: bytes, read_ns: int) -> None:
        contender, _account, kind = socket.path.lstrip("/").split("/")[:3]
        if kind != "report":
            super()._said(socket, text, read_ns)
        elif text.startswith(b"["):
            self._listed.setdefault(contender, []).extend(Resting(*row) for row in msgspec.json.decode(text))
        else:
            self._told.setdefault(contender, asyncio.Queue(16)).put_nowait(int(text))
