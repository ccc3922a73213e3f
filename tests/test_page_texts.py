"""What pages say, in each language: nothing is left untranslated, and the same words are said alike."""

from __future__ import annotations

from collections import defaultdict

import pytest
from babel.messages.catalog import Message

from allocator.service.catalogue import USES
from allocator.texts import Language, catalog
from scripts import texts

TOPICS = texts.said()


@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_all_that_a_topic_says_is_translated(topic: str, language: str) -> None:
    """Nothing is missing or left over, and each translation is filled with the same values."""
    assert texts.faults(topic, language, TOPICS[topic]) == []


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_no_translations_are_left_of_topics_that_are_gone(language: str) -> None:
    """A topic that is taken away takes its translations with it."""
    assert texts.leftover(TOPICS, language) == []


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_topics_translate_the_same_words_alike(language: str) -> None:
    """Pages share one set of words, so that of two translations one would never be shown."""
    said = defaultdict(set)
    for topic in TOPICS:
        for one in texts.kept(topic, language):
            if one.id:
                said[str(one.id)].add(str(one.string))

    assert {words: ways for words, ways in said.items() if len(ways) > 1} == {}


@pytest.mark.parametrize("language", Language)
def test_what_was_done_is_told_for_every_use_case(language: Language) -> None:
    """One short sentence each, and none for what cannot be done."""
    said = {key: catalog(language).template("saved", key) for key in catalog(language)._content["saved"]}

    assert said.keys() == USES.keys()
    assert [text for text in said.values() if not text.endswith(".") or len(text) > 80] == []


@pytest.mark.parametrize(
    ("string", "agree"),
    [
        ("%(count)s saker", True),
        ("Sakene", False),
        ("%(number)s saker", False),
        ("%(count)s %(name)s", False),
    ],
)
def test_other_placeholders_than_in_bokmal_are_found(string: str, *, agree: bool) -> None:
    """A translation that leaves out a value or asks for another one is a fault."""
    one = Message("%(count)s saker", string)

    assert texts._agree(one) is agree
