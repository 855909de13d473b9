"""A list of choices in which a click moves the cursor and never chooses: what is chosen may send."""

from textual import events
from textual.widgets import OptionList


class ChoiceList(OptionList):
    """An option list for hands on the keyboard: keys choose, the mouse only points."""

    async def _on_click(self, event: events.Click) -> None:
        """Move the cursor to the choice clicked on."""
        event.prevent_default()
        clicked = event.style.meta.get("option")
        if clicked is not None and not self.get_option_at_index(clicked).disabled:
            self.highlighted = clicked
