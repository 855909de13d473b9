"""The keys of forms, lists and dialogs: the same on every desk. None of them raises risk without being meant."""

FORM_KEYS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("ctrl+s",), "the ticket: send it; templates: save one by the name typed"),
    (("ctrl+n", "ctrl+g"), "the ticket: one leg more, one less; templates: ctrl+g drops one"),
    (("ctrl+t",), "the ticket: its templates"),
    (("ctrl+y",), "the ticket: copy its command line"),
    (("up", "down"), "the ticket: a tick or a lot more, less; lists: go up, down; command line: what was sent before"),
    (("enter",), "the ticket: the next field; command line: send; filter: keep; lists: choose"),
    (("tab", "shift+tab"), "the next field, the one before; command line and filter: complete"),
    (("y", "n"), "a question: yes or no, once it has stood for 0.3 s; it begins on no"),
    (("escape",), "leave: nothing is sent, what was typed is kept"),
)  # fmt: skip
"""The keys and what they do."""
