"""From scored pairs to partners and groups."""

from __future__ import annotations

import random
import time
from fractions import Fraction
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.match import key, scored, weigh
from crmbridge.match.assign import Scored, groups, one_to_one
from crmbridge.model import Record, Rows

IDS = st.sampled_from("abcdef")
PAIRS = st.lists(
    st.builds(Scored, IDS, IDS, st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9, 1.0])),
    max_size=25,
    unique_by=lambda pair: (pair.left, pair.right),
)


@given(pairs=PAIRS, margin=st.sampled_from([0.0, 0.1, 0.3]))
def test_every_record_has_at_most_one_partner(pairs: list[Scored], margin: float) -> None:
    assigned = one_to_one(pairs, at_least=0.3, margin=margin).pairs
    assert len({pair.left for pair in assigned}) == len({pair.right for pair in assigned}) == len(assigned)
    assert all(pair.score >= 0.3 for pair in assigned)


@given(pairs=PAIRS, seed=st.integers(), margin=st.sampled_from([0.0, 0.2]))
def test_the_order_of_the_pairs_does_not_matter(pairs: list[Scored], seed: int, margin: float) -> None:
    shuffled = random.Random(seed).sample(pairs, len(pairs))
    assert one_to_one(shuffled, at_least=0.2, margin=margin) == one_to_one(pairs, at_least=0.2, margin=margin)


@given(pairs=PAIRS, margin=st.sampled_from([0.0, 0.1, 0.3]))
def test_a_pair_is_taken_where_every_rival_is_clearly_worse_or_has_a_better_partner(
    pairs: list[Scored], margin: float
) -> None:
    assigned = one_to_one(pairs, at_least=0.3, margin=margin).pairs
    left, right = ({pair.left: pair.score for pair in assigned}, {pair.right: pair.score for pair in assigned})
    for pair in assigned:
        for rival in pairs:
            shares = (rival.left == pair.left) != (rival.right == pair.right)
            if shares and rival.score >= 0.3 and (rival.score >= pair.score or pair.score - rival.score < margin):
                partner = right.get(rival.right, 0) if rival.left == pair.left else left.get(rival.left, 0)
                assert partner >= pair.score


@given(pairs=PAIRS, margin=st.sampled_from([0.0, 0.1, 0.3]))
def test_no_pair_is_left_that_both_would_prefer_unless_a_person_is_to_choose(
    pairs: list[Scored], margin: float
) -> None:
    found = one_to_one(pairs, at_least=0.3, margin=margin)
    left, right = ({pair.left: pair.score for pair in found.pairs}, {pair.right: pair.score for pair in found.pairs})
    left_over = [pair for pair in pairs if pair.score >= 0.3 and pair.left not in left and pair.right not in right]
    assert bool(left_over) == bool(found.tied)
    for pair in pairs:
        if pair.score >= 0.3 and pair not in left_over:
            assert left.get(pair.left, 0) >= pair.score or right.get(pair.right, 0) >= pair.score


def test_the_best_pair_is_taken_first() -> None:
    pairs = [Scored("a", "x", 0.8), Scored("b", "x", 0.9), Scored("a", "y", 0.7)]
    assert one_to_one(pairs, at_least=0.5).pairs == (Scored("b", "x", 0.9), Scored("a", "y", 0.7))


@pytest.mark.parametrize("how", [{}, {"margin": 0.0}, {"margin": 0.05}])
def test_two_equal_candidates_are_left_to_a_person(how: dict[str, float]) -> None:
    pairs = [Scored("a", "x", 0.9), Scored("a", "y", 0.9), Scored("b", "z", 0.8)]
    found = one_to_one(pairs, at_least=0.5, **how)
    assert found.pairs == (Scored("b", "z", 0.8),)
    assert found.tied == (Scored("a", "x", 0.9), Scored("a", "y", 0.9))


@pytest.mark.parametrize("far", [0.75, 1.0])
@pytest.mark.parametrize("margin", [0.0, 0.2, 0.25, 0.3])
def test_a_margin_means_here_what_it_means_at_a_scored_level(far: float, margin: float) -> None:
    pairs = [Scored("a", "x", 1.0), Scored("a", "y", far)]
    one = key("n", "n")
    at = scored("s", weigh(one, 1.0, lambda _, theirs: float(theirs)), blocks=[one], at_least=0.5, margin=margin)
    found = Rows("crm", "k", ("n",), ("x", "y"), (("1.0",), (str(far),)))
    kept = at.keep(Record(Rows("ma", "k", ("n",), ("a",), (("a",),)), 0), [Record(found, 0), Record(found, 1)], "right")
    assert (len(kept) == 1) == (one_to_one(pairs, at_least=0.5, margin=margin).pairs == (Scored("a", "x", 1.0),))
    assert (len(kept) == 1) == (1.0 - far >= margin and far < 1.0)


def test_a_record_whose_best_candidates_tie_does_not_get_the_third_best_nor_gives_them_away() -> None:
    best = (Scored("a", "x", 0.9), Scored("a", "y", 0.9))
    found = one_to_one([*best, Scored("a", "z", 0.6), Scored("b", "y", 0.8)], at_least=0.5, margin=0.05)
    assert (found.pairs, found.tied) == ((), best)
    beyond = one_to_one([*best, Scored("a", "z", 0.6), Scored("c", "z", 0.5), Scored("d", "w", 0.5)], at_least=0.5)
    assert (beyond.pairs, beyond.tied) == ((Scored("d", "w", 0.5),), best)


@given(pairs=PAIRS, margin=st.sampled_from([0.1, 0.3]))
def test_a_pair_left_to_a_person_is_of_two_that_nobody_else_has(pairs: list[Scored], margin: float) -> None:
    found = one_to_one(pairs, at_least=0.3, margin=margin)
    assert {pair.left for pair in found.tied}.isdisjoint(pair.left for pair in found.pairs)
    assert {pair.right for pair in found.tied}.isdisjoint(pair.right for pair in found.pairs)


def test_a_rival_that_has_a_better_partner_is_none() -> None:
    pairs = [Scored("b", "y", 1.0), Scored("a", "x", 0.9), Scored("a", "y", 0.9)]
    assert one_to_one(pairs, at_least=0.5, margin=0.05).pairs == (Scored("b", "y", 1.0), Scored("a", "x", 0.9))


def test_a_chain_is_no_group() -> None:
    chain = [Scored("a", "b", 0.9), Scored("b", "c", 0.9), Scored("c", "d", 0.9)]
    assert groups(chain, at_least=0.8, together=0.8) == (("a", "b"), ("c", "d"))
    assert groups(chain, at_least=0.8, together=0.1) == (("a", "b", "c", "d"),)


def test_a_record_alone_is_in_no_group() -> None:
    assert groups([Scored("a", "b", 0.2), Scored("c", "c", 1.0)], at_least=0.5, together=0.5) == ()
    assert groups([Scored("a", "b", 0.9)], at_least=0.5, together=0.95) == ()


def test_a_pair_that_scores_just_enough_is_a_group_and_one_below_is_none() -> None:
    assert groups([Scored("a", "b", 0.8)], at_least=0.8, together=0.8) == (("a", "b"),)
    assert groups([Scored("a", "b", 0.7)], at_least=0.8, together=0.1) == ()


def test_the_side_on_which_a_record_of_a_pair_stands_does_not_matter() -> None:
    around = [Scored("a", "b", 0.9), Scored("c", "b", 0.9), Scored("a", "c", 0.9)]
    assert groups(around, at_least=0.8, together=0.8) == (("a", "b", "c"),)


@given(pairs=PAIRS, seed=st.integers())
def test_groups_are_apart_and_do_not_depend_on_the_order(pairs: list[Scored], seed: int) -> None:
    unique = [pair for pair in pairs if pair.left < pair.right]
    found = groups(unique, at_least=0.3, together=0.3)
    members = [member for group in found for member in group]
    assert len(members) == len(set(members))
    assert groups(random.Random(seed).sample(unique, len(unique)), at_least=0.3, together=0.3) == found


@given(
    pairs=st.lists(st.builds(Scored, IDS, IDS, st.sampled_from([1 / 8, 3 / 8, 1 / 2, 3 / 4, 1.0])), max_size=25),
    together=st.sampled_from([0.0, 1 / 4, 1 / 2, 3 / 4]),
)
def test_two_groups_join_where_the_mean_over_all_pairs_between_them_is_enough(
    pairs: list[Scored], together: float
) -> None:
    ordered = sorted(pairs, key=lambda pair: (-pair.score, pair.left, pair.right))
    known: dict[frozenset[str], Fraction] = {}
    for pair in ordered:
        known.setdefault(frozenset((pair.left, pair.right)), Fraction(pair.score))
    sets = {record: frozenset(record) for pair in pairs for record in (pair.left, pair.right)}
    for pair in ordered:
        one, other = sets[pair.left], sets[pair.right]
        between = [known.get(frozenset((a, b)), Fraction(0)) for a in one for b in other]
        if pair.score >= 0.3 and one != other and sum(between) >= Fraction(together) * len(between):
            sets.update(dict.fromkeys(one | other, one | other))
    expected = sorted({tuple(sorted(members)) for members in sets.values() if len(members) > 1})
    assert list(groups(pairs, at_least=0.3, together=together)) == expected


def test_pairs_that_all_score_just_enough_are_one_group() -> None:
    pairs = [Scored(a, b, 0.7) for a, b in combinations("abcdefg", 2)]
    assert groups(pairs, at_least=0.5, together=0.7) == (tuple("abcdefg"),)


def test_two_large_groups_that_are_not_alike_take_time_in_proportion_to_their_pairs() -> None:
    def seconds(size: int) -> float:
        two = [[f"{side}{number:03}" for number in range(size)] for side in "ab"]
        pairs = [Scored(one, other, 0.95) for side in two for one, other in combinations(side, 2)]
        pairs += [Scored(one, other, 0.6) for one, other in product(*two)]
        began = time.process_time()
        assert groups(pairs, at_least=0.5, together=0.7) == tuple(map(tuple, two))
        return time.process_time() - began

    assert seconds(120) < 16 * max(seconds(40), 0.01)


@pytest.mark.parametrize("score", [0.49, 0.0])
def test_pairs_below_the_least_score_are_never_taken(score: float) -> None:
    assert one_to_one([Scored("a", "x", score)], at_least=0.5).pairs == ()
