"""The laws of the create classes: what is true of a create that is sent again, or whose answer was lost."""

from __future__ import annotations

from ...errors import Unreachable
from ...model import Applied, RecordRef, Rejected
from ._law import Law, NotClaimed, law, require
from ._trial import Trial


def _there(on: Trial) -> set[RecordRef]:
    return {record.ref for page in on.pages(limit=200) for record in page.rows}


def _class(on: Trial, *classes: str) -> None:
    on.needs("apply", "creates")
    if on.able.creates not in classes:
        raise NotClaimed(f"creates of class {' or '.join(classes)}")


@law
def the_same_key_twice_writes_once(on: Trial) -> None:
    """The same key twice writes once, in class A."""
    _class(on, "A")
    on.needs("create_key")
    action = on.create(on.fresh())
    first = on.applied(on.apply([action])[0]).ref
    on.wait()
    [again] = on.apply([action])
    require(isinstance(again, Applied), f"a create that is sent again is answered by {type(again).__name__}")
    require(on.applied(again).ref == first, "a create with the same key is answered by another record than the first")


@law
def the_same_key_makes_one_record(on: Trial) -> None:
    """A create that is sent again, in class A, leaves one record."""
    _class(on, "A")
    on.needs("read")
    action = on.create(on.fresh())
    before = _there(on)
    on.applied(on.apply([action])[0])
    on.wait()
    on.apply([action])
    on.wait()
    new = _there(on) - before
    require(len(new) == 1, f"one create was sent twice, and there are {len(new)} new records")


@law
def a_unique_value_belongs_to_one_record(on: Trial) -> None:
    """A second create with a value that the system keeps unique is refused, or gives the first record."""
    _class(on, "A")
    on.needs("unique")
    values = on.fresh()
    require(values.get(on.able.unique or ""), f"the sample has no {on.able.unique}, which is kept unique")
    first = on.applied(on.apply([on.create(values)])[0]).ref
    on.wait()
    [second] = on.apply([on.create({**on.fresh(), on.able.unique or "": values[on.able.unique or ""]})])
    same = isinstance(second, Applied) and second.ref == first
    name = type(second).__name__
    require(
        same or isinstance(second, Rejected), f"{on.able.unique} is kept unique; a second one is answered by {name}"
    )


@law
def our_key_can_be_read_back(on: Trial) -> None:
    """A create of class B is found by our own key, at once and alone."""
    _class(on, "A", "B")
    on.needs("create_key", "find")
    key = on.able.create_key or ""
    actions = [on.create(on.fresh()) for _ in range(2)]
    refs = [on.applied(outcome).ref for outcome in on.apply(actions)]
    on.wait()
    answers = on.find(*(on.question({key: action.key}, gone=gone) for action in actions for gone in (False, True)))
    found = [tuple(rows.ids) for rows in answers]
    wanted = [(ref.id,) for ref in refs for _ in (False, True)]
    require(found == wanted, f"two records were made with a key each, and looking for the keys finds {found}")


@law
def a_key_that_was_never_sent_is_not_found(on: Trial) -> None:
    """A look for a key that was never sent finds nothing."""
    _class(on, "A", "B")
    on.needs("create_key", "find")
    on.make()
    [rows] = on.find(on.question({on.able.create_key or "": f"never-{on.first}"}, gone=True))
    require(not len(rows), f"a key that was never sent finds {len(rows)} records")


@law
def a_lost_create_is_found_or_not_made_again(on: Trial) -> None:
    """A create whose answer was lost can be resolved as its class says, and then there is one record."""
    _class(on, "A", "B")
    on.needs("read")
    if on.kind.hand.lose_answer is None:
        raise NotClaimed("lost answers", "no answer can be lost here: give Hand(lose_answer=...)")
    action = on.create(on.fresh())
    before = _there(on)
    on.kind.hand.lose_answer()
    try:
        on.run(on.sink.apply([action]))
    except Unreachable as error:
        require(error.may_have_arrived, "the answer was lost, and the error says that nothing arrived")
    on.pass_time(on.able.settles_in)
    on.wait()
    if on.able.create_key and on.able.creates == "B":
        [rows] = on.find(on.question({on.able.create_key: action.key}, gone=True))
        require(len(rows) == 1, f"the lost create was done, and looking for its key finds {len(rows)} records")
    else:
        on.apply([action])
        on.wait()
    new = _there(on) - before
    require(len(new) == 1, f"one create was resolved as its class says, and there are {len(new)} records")


CREATING: tuple[Law[Trial], ...] = (
    the_same_key_twice_writes_once,
    the_same_key_makes_one_record,
    a_unique_value_belongs_to_one_record,
    our_key_can_be_read_back,
    a_key_that_was_never_sent_is_not_found,
    a_lost_create_is_found_or_not_made_again,
)
