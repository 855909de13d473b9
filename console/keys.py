"""The keys as a page for reading: ``hedgedesk keys`` prints it, ``docs/keys.md`` is it. All from the table of actions.

``python -m console.keys --write docs/keys.md`` makes the document anew; a test compares it.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from console import actions
from console.actions import APP, DESK, PANE, PANE_ABOUT, PANE_TITLES, PANES, TABLE, TABLE_KEYS, Action
from console.acts.forms import FORM_KEYS
from console.panes import when
from console.panes.action import RISK_WORDS, key_label

INTRODUCTION = """# Keys

Made by `python -m console.keys --write docs/keys.md` from the one table of actions (`console/actions.py`), which also
makes the bindings, the footer, the help (`?`, `f1`), the palette (`ctrl+p`) and `hedgedesk keys`; a test compares it.

Rule of hands: a lower-case letter acts on the thing under the cursor, the same letter in upper case on the set, a
function key on the whole desk. Letters that trade work on panes only: no form ever leaks one. An action that cannot be
done is greyed, and says why when its key is pressed.

Keys of your own stand in the configuration, by action, several with commas between:

```toml
[profiles.paper.keymap]
mute = "m, f7"
cancel = "ctrl+x"
```

An action that is not known is refused with the nearest name, and so is a key with two meanings, or one that hides an
action which carries risk. `panic` keeps its keys on every desk, and so do the keys that move in tables.
"""

FORMS = """## In forms, lists and dialogs

Always the same. Letters are typed there, and do nothing else; `f9` panics over every one of them. The mouse points: a
click moves a cursor or gives the focus, and sends nothing but by a button.

| key | what it does |
| --- | --- |
"""

FILTERS = """## Filters

`/` in any table. Every part must hold; `tab` completes names and values, `enter` keeps the filter, `escape` undoes it.

| part | holds for rows |
| --- | --- |
| `eth` | with the word in any of their texts |
| `venue:okx` | whose field has the text in it; of few choices: begins so |
| `venue:okx,bybit` | whose field has either |
| `side:b` `side:s` | that buy, that sell |
| `state:live` `state:done` `state:rejects` | orders that may still trade, that may not, that were rejected |
| `px>60000` `qty>=1.5` `filled=0` `value<60k` | whose number compares so; `k`, `m`, `b` are thousands |
| `age<5m` `age>2h` | that are younger, that are older: `ms`, `s`, `m`, `h`, `d` |
| `-role:hedge` | for which the part does not hold |
| `"would cross"` | with the words as they stand between the quotes |

The fields are those of the rows: a wrong name is refused with the nearest one. The row under the cursor stays in sight
though it no longer matches, until the cursor leaves it: a key never meets the row that took its place.
"""

_SCOPES = {
    APP: ("Everywhere, over every form and dialog", ""),
    DESK: ("On the desk", ""),
    PANE: ("In every pane", ""),
    TABLE: ("In every table", "Every pane but the ladder. Nothing here trades."),
}


def sections() -> Iterator[tuple[str, str, list[Action]]]:
    """Title, what it is about, actions: of each place where keys work, the widest first."""
    for scope, (title, about) in _SCOPES.items():
        yield title, about, list(actions.in_scope(scope))
    for pane in PANES:
        title = f"In {PANE_TITLES.get(pane, pane)}"
        yield title, PANE_ABOUT.get(pane, ""), list(actions.in_scope(pane))


def document() -> str:
    """The whole page, as markdown."""
    parts = [INTRODUCTION]
    for title, about, found in sections():
        lines = [f"## {title}", ""]
        if about:
            lines += [about, ""]
        if found:
            lines += ["| key | action | what it does | risk | when |", "| --- | --- | --- | --- | --- |"]
            lines += [_row(action) for action in found]
        else:
            lines.append("No keys of its own.")
        if title == _SCOPES[TABLE][0]:
            lines += ["", "Always the same:", "", "| key | what it does |", "| --- | --- |"]
            lines += [f"| {_code(keys.split())} | {text} |" for keys, text in TABLE_KEYS]
        parts.append("\n".join(lines) + "\n")
    forms = FORMS + "".join(f"| {_code(key_label(key) for key in keys)} | {text} |\n" for keys, text in FORM_KEYS)
    return "\n".join([*parts, forms, FILTERS])


def _row(action: Action) -> str:
    keys = _code(key_label(key) for key in action.keys) or "palette"
    risk = RISK_WORDS[action.risk]
    return f"| {keys} | `{action.id}` | {action.help} | {risk} | {_conditions(action)} |"


def _code(keys: Iterable[str]) -> str:
    return " ".join(f"`{key}`" for key in keys)


def _conditions(action: Action) -> str:
    """When the action can be done, in the words of its conditions."""
    told = []
    if action.enabled is not when.always:
        told.append(_words(action.enabled))
    if action.fits is not when.fits_anything:
        told.append(f"on {_words(action.fits)}")
    return "; ".join(told)


def _words(condition: object) -> str:
    text = (condition.__doc__ or "").splitlines()[0].rstrip(".")
    return text[:1].lower() + text[1:]


def lines() -> Iterator[str]:
    """The page as plain lines, with the keys as they are bound now."""
    everything = [(title, found) for title, _, found in sections() if found]
    keys = [" ".join(key_label(key) for key in action.keys) or "-" for _, found in everything for action in found]
    width = max(len(text) for text in [*keys, *(text for text, _ in TABLE_KEYS)])
    names = max(len(action.id) for _, found in everything for action in found)
    for place, (title, found) in enumerate(everything):
        if place:
            yield ""
        yield title
        for action in found:
            bound = " ".join(key_label(key) for key in action.keys) or "-"
            yield f"  {bound:<{width}}  {action.id:<{names}}  {action.help}"
        if title == _SCOPES[TABLE][0]:
            yield from (
                f"  {text:<{width}}  {'':<{names}}  {help_[:1].upper()}{help_[1:]}." for text, help_ in TABLE_KEYS
            )


def main() -> int:
    """Print the document, or write it."""
    parser = argparse.ArgumentParser(description="the document of the keys")
    parser.add_argument("--write", type=Path, help="write it into this file")
    path = parser.parse_args().write
    if path is None:
        sys.stdout.write(document())
    else:
        path.write_text(document(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
