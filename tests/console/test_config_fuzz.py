"""Whatever stands in a configuration or in the environment: a good one, or sentences on what is wrong."""

from hypothesis import example, given, settings

from tests.console.config_texts import read, texts, variables


@settings(max_examples=150, deadline=None)
@given(texts, variables)
@example("a = " + "9" * 5000, {})
@example("a = " + "[" * 3000, {})
@example("[profiles.live]\n" * 2, {})
@example("", {"HEDGEDESK_": "x", "HEDGEDESK___": "{", "HEDGEDESK_LIMITS": "{ a = "})
def test_any_text_is_a_configuration_or_is_refused_in_sentences(text: str, environment: dict[str, str]) -> None:
    """Nothing but ConfigError comes out, each of its problems one printable line that begins with its place."""
    read(text, environment)
