"""What a preview says, as lines of text with their ink; and which field of the ticket an error belongs to. Pure."""

from console import fmt
from console.link import Preview

Line = tuple[str, str]


def effect(preview: Preview) -> list[Line]:
    """The sentence of what will happen, its notional, what may wait, and the warnings; or what is wrong."""
    if not preview.ok:
        return [(f"✕ {preview.error}", "alarm")]
    lines: list[Line] = [(preview.sentence, "foreground")]
    facts = []
    if preview.notional is not None:
        facts.append(f"notional {fmt.money(abs(preview.notional))}")
    if preview.remainder:
        facts.append(preview.remainder)
    if facts:
        lines.append((" · ".join(facts), "muted"))
    lines += [(f"! {warning}", "warn") for warning in preview.warnings]
    return lines


def caret_lines(text: str, caret: int, width: int) -> list[str]:
    """An error under its place in the line: the caret at column ``caret``, the text beside it, or under it if short."""
    caret = max(0, min(caret, width - 1))
    if caret + 2 + len(text) <= width:
        return [" " * caret + "▲ " + text]
    if len(text) + 1 <= caret:
        return [(text + " ▲").rjust(caret + 1)]
    return [" " * caret + "▲", text]


_MAKER_FIELDS = {
    "amount": "amount",
    "venue": "contract",
    "ticker": "contract",
    "contract": "contract",
    "price": "price",
    "post": "flags",
    "reduce": "flags",
    "tif": "flags",
}


def field_of(name: str, legs: int) -> str:
    """The ticket's row for a field as previews name it (``price``, ``leg 2 ticker``); ``form`` for anything else."""
    words = name.split()
    if words and words[0] == "leg":
        number = words[1] if len(words) > 1 and words[1].isdecimal() else "1"
        return f"leg{number}" if int(number) <= legs else "form"
    return _MAKER_FIELDS.get(name, "form")
