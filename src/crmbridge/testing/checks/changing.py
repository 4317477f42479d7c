"""The laws of changes that go wrong in silence: a value that is refused, a clear, a removal, and what answers tell."""

from __future__ import annotations

from contextlib import suppress

from ...errors import CrmBridgeError
from ...model import Applied, Outcome, Stale, Update, is_blank
from ._given import Made
from ._law import Law, NotClaimed, law, require
from ._refused import unfitting
from ._trial import Trial
from ._whole import answered_truly


def _made(on: Trial, count: int = 1) -> list[Made]:
    on.needs("fetch", "apply", "creates")
    outcomes = on.creating([on.fresh() for _ in range(count)])
    on.wait()
    return [Made(on.applied(outcome).ref, values) for outcome, values in outcomes]


def _tried(on: Trial, action: Update) -> Outcome | None:
    """Write one change; None where the whole batch is refused."""
    try:
        [outcome] = on.apply([action])
    except CrmBridgeError:
        return None
    return outcome


@law
def what_the_schema_refuses_is_refused_in_a_change(on: Trial) -> None:
    """A change to a value of which the schema says that it does not fit is refused, and not cut or dropped."""
    on.needs("updates")
    [made] = _made(on)
    candidates = [(name, what, value) for name in on.changeable() for what, value in unfitting(on.spec(name))]
    if not candidates:
        raise NotClaimed("schema", "the schema says of no field of the sample that it refuses anything")
    for name, what, value in candidates:
        outcome = _tried(on, on.update(made.ref, {name: value}))
        done = isinstance(outcome, Applied)
        require(
            not done, f"the schema says that {what} does not fit {name}, and a change to it was answered by Applied"
        )
    on.wait()
    record = on.get(made.ref)
    on.holds(record, {name: made.values.get(name) for name, _, _ in candidates}, "a change that was refused was done")


@law
def each_optional_field_can_be_cleared(on: Trial) -> None:
    """A clear of any field that may be empty is done or refused; a flag may be as one that was never written."""
    on.needs("updates")
    [made] = _made(on)
    names = [name for name in on.changeable() if not on.spec(name).required]
    if not names:
        raise NotClaimed("updates", "no field of the sample may be empty")
    if isinstance(_tried(on, on.update(made.ref, dict.fromkeys(names))), Applied):
        cleared = names
    else:
        cleared = [n for n in names if isinstance(_tried(on, on.update(made.ref, {n: None})), Applied)]
    on.wait()
    record = on.get(made.ref)
    kept = [name for name in cleared if not is_blank(record.get(name))]
    if any(record.get(name) is False for name in kept):
        # Many systems know no third state: what was never written is False there, and so is what is cleared.
        unset = on.applied(on.apply([on.create({n: v for n, v in on.fresh().items() if n not in kept})])[0])
        on.wait()
        never = on.get(unset.ref)
        kept = [name for name in kept if record.get(name) is not False or never.get(name) is not False]
    require(not kept, f"a clear of {', '.join(kept)} was answered by Applied, and something is still there")


@law
def an_outcome_is_that_of_its_own_removal(on: Trial) -> None:
    """Of a batch of removals each outcome names its own record, and what is answered by Applied is gone."""
    made = _made(on, 3)
    batch = [on.removal(one.ref) for one in made]
    if on.able.conditional_writes and (on.able.updates or on.kind.hand.edit is not None):
        batch[0] = on.removal(made[0].ref, if_version=on.get(made[0].ref).version)
        on.edit(made[0], on.changing(made[0]))
    outcomes = on.apply(batch)
    on.wait()
    there = {record.ref for record in on.fetch(*(one.ref for one in made)).rows}
    for number, (action, outcome) in enumerate(zip(batch, outcomes, strict=True)):
        require(outcome.action == action, "outcomes of removals do not stand in the order of their actions")
        if isinstance(outcome, Applied):
            require(outcome.ref == action.ref, f"the removal of {action.ref} is answered as that of {outcome.ref}")
            require(action.ref not in there, f"{action.ref} was answered as gone, and is fetched")
        else:
            stale = isinstance(outcome, Stale) and number == 0
            require(stale, f"the removal of {action.ref} is answered by {type(outcome).__name__}")


@law
def the_answer_to_a_create_tells_what_is_stored(on: Trial) -> None:
    """What the answer to a create says is what fetch gives, if answers with what is stored are declared."""
    on.needs("answers_with_stored", "fetch", "apply", "creates")
    action = on.create(on.fresh(), answer=on.names)
    applied = on.applied(on.apply([action])[0])
    on.wait()
    answered_truly(on, applied, on.get(applied.ref), "create")


@law
def what_is_only_appended_does_not_change(on: Trial) -> None:
    """What is said to be appended only is as it was made, whatever another hand tries, and stays."""
    on.needs("appends_only", "fetch")
    hand = on.kind.hand
    if hand.edit is None and hand.remove is None:
        raise NotClaimed("appends_only", "nobody else writes here: give Hand(edit=..., remove=...)")
    edited, removed = on.make(2)
    # A system that says no is right, in whatever way its hand says it.
    if hand.edit is not None:
        with suppress(Exception):
            hand.edit(edited.ref, on.changing(edited))
    if hand.remove is not None:
        with suppress(Exception):
            hand.remove(removed.ref)
    on.wait()
    for made in (edited, removed):
        on.holds(on.get(made.ref), made.values, "records are said never to change")


CHANGING: tuple[Law[Trial], ...] = (
    what_the_schema_refuses_is_refused_in_a_change,
    each_optional_field_can_be_cleared,
    an_outcome_is_that_of_its_own_removal,
    the_answer_to_a_create_tells_what_is_stored,
    what_is_only_appended_does_not_change,
)
