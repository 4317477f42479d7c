"""The decision table: complete, for every setting, and printed as a person would read it."""

from __future__ import annotations

import itertools

import pytest

from crmbridge.plan import Deletes, Move, State, moves

SETTINGS = [
    Deletes(left, right, if_edited)
    for left, right, if_edited in itertools.product(
        ("detach", "archive", "delete"), ("detach", "archive", "delete"), ("ask", "revive", "remove")
    )
]
IMPOSSIBLE = {(State.NONE, State.SAME), (State.SAME, State.NONE)}
"""A side that equals an agreement beside one that was never linked."""


def flipped(move: Move) -> Move:
    return {
        Move.CREATE_LEFT: Move.CREATE_RIGHT, Move.CREATE_RIGHT: Move.CREATE_LEFT,
        Move.REMOVE_LEFT: Move.REMOVE_RIGHT, Move.REMOVE_RIGHT: Move.REMOVE_LEFT,
        Move.REVIVE_LEFT: Move.REVIVE_RIGHT, Move.REVIVE_RIGHT: Move.REVIVE_LEFT,
    }.get(move, move)  # fmt: skip


@pytest.mark.parametrize("deletes", SETTINGS, ids=str)
def test_every_pair_of_states_that_can_be_met_has_one_move(deletes):
    assert set(moves(deletes)) == set(itertools.product(State, State)) - IMPOSSIBLE


@pytest.mark.parametrize("deletes", SETTINGS, ids=str)
def test_nothing_is_done_while_a_side_is_unknown(deletes):
    table = moves(deletes)
    assert {table[pair] for pair in table if State.UNKNOWN in pair} == {Move.HOLD}


@pytest.mark.parametrize("deletes", SETTINGS, ids=str)
def test_swapping_the_sides_and_their_settings_swaps_the_moves(deletes):
    mirrored = moves(Deletes(deletes.right, deletes.left, deletes.if_edited))
    assert {(b, a): flipped(move) for (a, b), move in moves(deletes).items()} == mirrored


@pytest.mark.parametrize("deletes", SETTINGS, ids=str)
def test_only_what_is_gone_on_the_other_side_is_removed(deletes):
    for (left, right), move in moves(deletes).items():
        assert move is not Move.REMOVE_LEFT or (right is State.GONE and deletes.left != "detach")
        assert move is not Move.REMOVE_RIGHT or (left is State.GONE and deletes.right != "detach")


@pytest.mark.parametrize("gone", ["archive", "delete"])
@pytest.mark.parametrize(
    ("if_edited", "move"),
    [("ask", Move.ASK), ("revive", Move.REVIVE_LEFT), ("remove", Move.REMOVE_RIGHT)],
)
def test_a_survivor_that_was_edited_meanwhile_is_treated_as_the_setting_says(gone, if_edited, move):
    table = moves(Deletes(right=gone, if_edited=if_edited))
    assert table[State.GONE, State.CHANGED] is move
    assert table[State.GONE, State.SAME] is Move.REMOVE_RIGHT


@pytest.mark.parametrize("if_edited", ["ask", "revive", "remove"])
def test_by_default_the_link_closes_whether_the_survivor_was_edited_or_not(if_edited):
    table = moves(Deletes(if_edited=if_edited))
    survivors = (State.SAME, State.CHANGED)
    assert {table[State.GONE, state] for state in survivors} == {Move.CLOSE}
    assert {table[state, State.GONE] for state in survivors} == {Move.CLOSE}


def test_the_table_reads_as_it_is_written_down():
    states = list(State)
    table = moves(Deletes(right="archive"))
    printed = [[table[left, right].value if (left, right) in table else "" for right in states] for left in states]
    assert printed == [
        ["nothing", "", "create left", "nothing", "hold"],
        ["", "nothing", "merge by field", "close the link", "hold"],
        ["create right", "merge by field", "merge by field", "close the link", "hold"],
        ["nothing", "remove right", "ask a person", "close the link", "hold"],
        ["hold", "hold", "hold", "hold", "hold"],
    ]


@pytest.mark.parametrize("deletes", SETTINGS, ids=str)
@pytest.mark.parametrize(("side", "masked"), [("left", Move.REVIVE_LEFT), ("right", Move.REVIVE_RIGHT)])
def test_where_no_records_are_made_nothing_is_made_again_and_a_person_is_asked(deletes, side, masked):
    asks = {pair: Move.ASK if move is masked else move for pair, move in moves(deletes).items()}
    assert moves(deletes, **{f"makes_{side}": False}) == asks
