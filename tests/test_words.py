"""The word list finds words of protected characteristics, and not the words that merely look like them."""

from __future__ import annotations

from importlib.resources import files

import pytest

from allocator.service.words import found_words

MEANT = [
    ("Vi vil ikke ha flere innvandrere her.", "innvandr"),
    ("Me vil ikkje ha fleire innvandrarar her.", "innvandr"),
    ("No more immigrants, please.", "immigrant"),
    ("Han er same og vil ikke passe inn, en same til.", "en same"),
    ("Dei er samar frå nord.", "samar"),
    ("Snakker samisk med alle.", "samisk"),
    ("De er romfolk.", "romfolk"),
    ("Han er muslim.", "muslim"),
    ("Hun er jødisk.", "jødisk"),
    ("De andre er kristne.", "kristne"),
    ("Med tanke på etnisiteten hans.", "etni"),
    ("Ethnicity matters here.", "ethnic"),
    ("Han kan ikke  norsk.", "kan ikke norsk"),
    ("Ho snakkar ikkje norsk.", "snakkar ikkje norsk"),
    ("He doesn't speak Norwegian.", "doesn't speak norwegian"),
    ("En homofil mann går ikke her.", "homofil"),
    ("Beboeren er homo.", "homo"),
    ("He is gay.", "gay"),
    ("Hun er lesbisk.", "lesb"),
    ("Ho er skeiv.", "ho er skeiv"),
    ("Søkeren er en transkvinne.", "transkvinne"),
    ("Hun er gravid.", "gravid"),
    ("Søkeren er for gammel for oss.", "søkeren er for gammel"),
    ("Ho er for gamal.", "ho er for gamal"),
    ("She is too old.", "she is too old"),
    ("Vi tar ikke imot schizofrene.", "schizo"),
    ("He is schizophrenic.", "schizo"),
    ("Har adhd-diagnose.", "adhd"),
    ("Han har HIV.", "hiv"),
    ("Han er hiv-positiv.", "hiv"),
    ("En hivpositiv beboer.", "hivpositiv"),
    ("Ein utviklingshemma mann.", "utviklingshem"),
    ("Rullestolbrukere hører ikke til her.", "rullestolbruk"),
    ("A wheelchair user cannot live here.", "wheelchair user"),
]


@pytest.mark.parametrize(("text", "entry"), MEANT)
def test_words_that_are_meant_are_found(text: str, entry: str) -> None:
    """Inflected, in capitals, after a hyphen, with more than one space, in either language."""
    assert found_words(text) == (entry,)
    assert found_words(text.upper()) == (entry,)


@pytest.mark.parametrize(
    "text",
    [
        "Det skjedde samedagen, og alle satt sammen.",
        "Det er same huset og same dagen, sameleis i går.",
        "The same thing happened; they stayed at the same place.",
        "Begayt er ikke et ord, men megaye heller ikke.",
        "De begynte å hive stoler; arkiv og hivert finnes også.",
        "Bogruppa er homogen, og tiltaket er homogent.",
        "Kristensen og Kristiansen har vakt i Kristiansand.",
        "Døra er skeiv og golvet er skeivt.",
        "Kjøleskapet er for gammelt, og huset er for gammel standard.",
        "Tiltak for unge og for gamle finnes andre steder.",
        "Leiligheten har ikke plass til rullestol.",
        "Kven har nøkkelen? Ingen.",
        "Romania er langt unna, og rommet er stort.",
        "The hearing aids are in the drawer.",
        "Vi trenger planlegning og belegning.",
        "Transport og transparente dører.",
        "Jødde ikke er et ord.",
        "Autoritet, autonomi og bipolitikk.",
        "",
    ],
)
def test_words_that_only_look_like_them_are_not(text: str) -> None:
    """Whole words are whole, and a common word is listed only in a phrase that means a person."""
    assert found_words(text) == ()


def test_what_is_found_is_in_the_order_of_the_list_and_once() -> None:
    """However many texts and however often."""
    assert found_words("Muslim, muslimer.", None, "En innvandrer; adhd.") == ("innvandr", "muslim", "adhd")
    assert found_words() == ()
    assert found_words(None) == ()


def test_each_entry_is_listed_once_and_is_found_by_itself() -> None:
    """No entry is written so that it can never be found; short beginnings have no star."""
    text = files("allocator.service").joinpath("words.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]

    assert len(lines) == len(set(lines))
    for line in lines:
        assert line == line.strip()
        assert line == line.casefold()
        assert line.rstrip("*") in found_words(line.rstrip("*"))
        assert not line.endswith("*") or len(line) > 4
