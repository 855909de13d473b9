"""``python -m tests.console.pictures FOLDER``: the documents' pictures (SVG) of the screens, of the demo's desk."""

import asyncio
import sys
from pathlib import Path
from typing import NamedTuple

from console.link import Preview
from console.ticket.ticket import Ticket
from tests.console.demo import first_frame
from tests.console.pilots import staged
from tests.console.scripted import NOW, D
from tests.console.test_snapshots import SCENES, Scene, open_scene

TICKET = Scene("ticket-filled", ("N",), Ticket, "may wait")
WHAT_IT_DOES = Preview(
    ok=True,
    sentence="sell 0.5000 ETH on hyperliquid at 2431.5, post-only; each fill buys ETHUSDT on binance at market; "
    "up to 0.008 ETH may wait",
    notional=D("1215.75"),
    remainder="binance:ETHUSDT: up to 0.008 ETH waits if the last part filled is under the minimum 0.009 ETH (20 USDT)",
)
"""As the engine's checks say it of the order that the ticket's picture shows: the pictures have no engine."""


class Picture(NamedTuple):
    """A scene in a size and a theme."""

    name: str
    scene: str
    size: tuple[int, int]
    theme: str = "dark"


PICTURES = (
    Picture("desk", "desk", (200, 50)),
    Picture("desk-light", "desk", (120, 40), "light"),
    Picture("desk-small", "desk", (80, 24), "cvd"),
    Picture("trading", "layout-trading", (120, 40)),
    Picture("ticket", TICKET.name, (120, 40)),
    Picture("drill", "drill", (120, 40)),
    Picture("blotter", "blotter", (120, 40), "contrast"),
    Picture("cancel-menu", "cancel-menu", (80, 24)),
)


async def draw(picture: Picture) -> str:
    """The picture as SVG."""
    (scene,) = (each for each in (*SCENES, TICKET) if each.name == picture.scene)
    async with staged(first_frame(NOW), size=picture.size, theme=picture.theme) as stage:
        stage.link.preview_answers["sell 0.5000 hyperliquid:ETH @ 2431.5 post hedge binance:ETHUSDT market"] = (
            WHAT_IT_DOES
        )
        await open_scene(stage, scene)
        return stage.app.export_screenshot(title="hedgedesk")


def main() -> int:
    """Write every picture into the folder named."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        path = folder / f"{picture.name}.svg"
        path.write_text(asyncio.run(draw(picture)), encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
