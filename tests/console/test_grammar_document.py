"""docs/grammar.md says what the parser does."""

import re
from pathlib import Path

import pytest

from console.language import GrammarError, complete, parse, render

DOCUMENT = (Path(__file__).parents[2] / "docs" / "grammar.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    """The lines of the document's code blocks of a kind."""
    found = re.findall(rf"^```{kind}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    return "".join(found).splitlines()


def test_every_example_of_the_document_is_of_the_grammar() -> None:
    """The document shows each verb in a line that parses."""
    lines = blocks("hedgedesk")
    verbs = {render(parse(line)).split()[0] for line in lines}
    assert verbs == {word.strip() for word in complete("", {})}


def test_every_refusal_of_the_document_is_what_the_parser_says() -> None:
    """The document's refused lines are refused in exactly those words, at exactly that place."""
    lines = blocks("refused")
    assert lines
    for line, said in zip(lines[::2], lines[1::2], strict=True):
        with pytest.raises(GrammarError) as refused:
            parse(line)
        assert f"{' ' * refused.value.caret}^ {refused.value.text}" == said
