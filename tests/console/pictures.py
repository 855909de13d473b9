"""``python -m tests.console.pictures FOLDER``: the documents' pictures (SVG) of the screens, of the demo's desk."""

import asyncio
import sys
from pathlib import Path
from typing import NamedTuple

from tests.console.demo import first_frame
from tests.console.pilots import staged
from tests.console.scripted import NOW
from tests.console.test_snapshots import SCENES, open_scene


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
    Picture("ticket", "ticket", (120, 40)),
    Picture("drill", "drill", (120, 40)),
    Picture("blotter", "blotter", (120, 40), "contrast"),
    Picture("cancel-menu", "cancel-menu", (80, 24)),
)


async def draw(picture: Picture) -> str:
    """The picture as SVG."""
    (scene,) = (each for each in SCENES if each.name == picture.scene)
    async with staged(first_frame(NOW), size=picture.size, theme=picture.theme) as stage:
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
