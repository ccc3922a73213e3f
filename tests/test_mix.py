"""The mix of a living group in numbers, as one reader sees it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from allocator.casework.mix import Count, Neighbour, age_band, counts
from allocator.codes import Gender, SubstanceUse

_NEIGHBOURS = st.lists(
    st.builds(
        Neighbour,
        gender=st.none() | st.sampled_from(Gender),
        age=st.none() | st.integers(18, 110),
        use=st.none() | st.sampled_from(SubstanceUse),
    ),
    max_size=12,
)


def test_ages_are_told_by_decade_and_the_oldest_together() -> None:
    """Nobody is told apart by a year, and the few who are very old not by a decade."""
    assert [age_band(age) for age in (18, 19, 20, 29, 30, 69, 70, 71, 98)] == [
        10,
        10,
        20,
        20,
        30,
        60,
        70,
        70,
        70,
    ]


def test_each_kind_is_counted_today_and_with_the_newcomer() -> None:
    """Codes stand in their own order, ages by year, and those of whom it is not known last."""
    there = [
        Neighbour(Gender.MAN, 44, SubstanceUse.ACTIVE),
        Neighbour(Gender.MAN, 41, SubstanceUse.SUBSTITUTION),
        Neighbour(Gender.WOMAN, 67, None),
    ]
    newcomer = Neighbour(Gender.WOMAN, 25, SubstanceUse.ACTIVE)
    assert counts(there, newcomer) == [
        Count("gender", Gender.WOMAN, 1, 2),
        Count("gender", Gender.MAN, 2, 2),
        Count("age", 20, 0, 1),
        Count("age", 40, 2, 2),
        Count("age", 60, 1, 1),
        Count("use", SubstanceUse.ACTIVE, 1, 2),
        Count("use", SubstanceUse.SUBSTITUTION, 1, 1),
        Count("use", None, 1, 1),
    ]


def test_without_a_newcomer_nothing_is_supposed() -> None:
    """There is no number for what nobody has asked about."""
    assert counts([Neighbour(Gender.MAN)]) == [
        Count("gender", Gender.MAN, 1, None),
        Count("age", None, 1, None),
        Count("use", None, 1, None),
    ]
    assert counts([]) == []


@given(_NEIGHBOURS, _NEIGHBOURS.map(lambda some: some[0] if some else None))
def test_everybody_is_counted_once_in_each_way(there: list[Neighbour], newcomer: Neighbour | None) -> None:
    """Nobody is lost and nobody is counted twice, whatever is known of them."""
    found = counts(there, newcomer)
    for of in ("gender", "age", "use"):
        of_it = [count for count in found if count.of == of]
        assert sum(count.now for count in of_it) == len(there)
        assert len({count.which for count in of_it}) == len(of_it)
        assert all(count.now or count.then for count in of_it)
        if newcomer is not None:
            assert sum(count.then or 0 for count in of_it) == len(there) + 1


@given(_NEIGHBOURS)
def test_the_order_of_the_list_says_nothing(there: list[Neighbour]) -> None:
    """The same people give the same numbers."""
    assert counts(there) == counts(list(reversed(there)))
