"""The laws of `Sink.apply`: each action has an outcome of its own, and an outcome says what became of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...errors import AdapterError, CrmBridgeError, Unreachable
from ...model import (
    Action,
    Applied,
    Archive,
    Cell,
    Create,
    Delete,
    Outcome,
    Postponed,
    RecordRef,
    Rejected,
    Stale,
    Uncertain,
    verb,
)
from ...preflight import problem
from ...reasons import Code, because
from ._counting import Sent
from ._given import Made
from ._law import Law, NotClaimed, broken, law, require
from ._samples import value_of
from ._trial import Trial

_SOME = 4
"""Records whose requests are counted: enough to tell one for each from one for all."""


def bad_values(on: Trial) -> dict[str, Cell]:
    """Give values of which the schema says that they are refused."""
    values = on.fresh()
    schema = on.schema()
    for name, spec in schema.fields.items():
        if spec.read_only:
            continue
        if spec.required:
            return {held: value for held, value in values.items() if held != name}
        candidates: list[Cell] = ["no such option"] if spec.options else []
        if spec.max_length is not None and spec.type == "text":
            candidates.append("x" * (spec.max_length + 1))
        for candidate in candidates:
            value: Cell = (str(candidate),) if spec.type == "choices" else candidate
            if problem(spec, value, creating=True) is not None and "length" not in spec.normalises:
                return {**values, name: value}
    raise NotClaimed("schema", "the schema names nothing that the system would refuse")


@law
def one_outcome_per_action_in_order(on: Trial) -> None:
    """One outcome per action, in order."""
    on.needs("apply", "creates")
    actions = [on.create(on.fresh()) for _ in range(4)]
    outcomes = on.apply(actions)
    require([one.action for one in outcomes] == actions, "outcomes do not stand in the order of their actions")
    refs = [on.applied(outcome).ref for outcome in outcomes]
    require(len(set(refs)) == len(refs), "two new records have one ref")
    strange = [ref for ref in refs if (ref.system, ref.kind) != (on.system, on.kind.name)]
    require(not strange, f"a new {on.kind.name} of {on.system} has the ref {strange[:1]}")
    if on.able.updates:
        values = [_changed(on, action) for action in actions]
        changes = [on.update(ref, one) for ref, one in zip(reversed(refs), values, strict=True)]
        told = [on.applied(outcome).ref for outcome in on.apply(changes)]
        require(told == list(reversed(refs)), "outcomes of changes name other records than their actions do")


def _changed(on: Trial, action: Create) -> dict[str, Cell]:
    return on.changing(Made(RecordRef(on.system, action.kind, ""), action.values))


@law
def a_bad_action_fails_alone(on: Trial) -> None:
    """Per-record trouble is returned, whole-batch trouble is raised; a bad action harms no other of its batch."""
    on.needs("apply", "creates")
    bad = on.create(bad_values(on))
    batch: list[Action] = [on.create(on.fresh()), bad, on.create(on.fresh())]
    try:
        one, wrong, two = on.apply(batch)
    except AdapterError as error:
        broken(f"one record that cannot be written makes the whole batch raise {type(error).__name__}")
    require(not isinstance(wrong, Applied), "the schema says that this is refused, and the outcome says Applied")
    kind = type(wrong).__name__
    require(isinstance(wrong, Rejected), f"what would be refused again is Rejected, not {kind}: it would be sent again")
    for outcome in (one, two):
        on.applied(outcome)


@law
def a_full_batch_is_taken(on: Trial) -> None:
    """As many actions as are declared go in one batch."""
    on.needs("apply", "creates")
    size = on.able.batch
    actions = [on.create(on.fresh()) for _ in range(size)]
    outcomes = on.run(on.sink.apply(actions))
    require(len(outcomes) == size, f"a batch of {size} is declared; {len(outcomes)} outcomes came")
    for outcome in outcomes:
        on.applied(outcome)


@law
def a_batch_that_is_too_long_is_not_cut(on: Trial) -> None:
    """A batch longer than declared is refused whole or done whole, and never cut."""
    on.needs("apply", "creates")
    size = on.able.batch + 1
    actions = [on.create(on.fresh()) for _ in range(size)]
    try:
        outcomes = on.run(on.sink.apply(actions))
    except CrmBridgeError:
        return
    require(len(outcomes) == size, f"of {size} actions {len(outcomes)} have an outcome: the rest would be forgotten")


@law
def a_write_takes_no_more_requests_than_declared(on: Trial) -> None:
    """A batch takes no more requests than `carries` says, so that a plan can say what it costs."""
    on.needs("apply", "creates")
    refs = [on.applied(outcome).ref for outcome in _sent(on, [on.create(on.fresh()) for _ in range(_SOME)])]
    if on.able.updates:
        made = [Made(ref, {}) for ref in refs]
        _sent(on, [on.update(one.ref, on.changing(one)) for one in made])
    if on.able.archives or on.able.deletes:
        _sent(on, [on.removal(ref) for ref in refs])


def _sent(on: Trial, actions: Sequence[Action]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    size, how = max(1, on.able.batch), verb(actions[0])
    carried = on.able.carries.get(how, size)
    for batch in (actions[at : at + size] for at in range(0, len(actions), size)):
        sent, most = Sent(), math.ceil(len(batch) / carried)
        outcomes += on.run(sent.of(on.sink.apply(batch)))
        said = f"{carried} records of a {how} are said to fit into one request"
        require(sent.written <= most, f"{said}, and {len(batch)} took {sent.written}")
    return outcomes


@law
def one_kind_and_one_verb_per_batch(on: Trial) -> None:
    """One kind and one verb per batch: another one is refused, or each action is done as what it is."""
    on.needs("apply", "creates", "updates")
    [made] = on.make()
    change = on.update(made.ref, on.changing(made))
    batch: list[Action] = [on.create(on.fresh()), change]
    try:
        outcomes = on.run(on.sink.apply(batch))
    except (CrmBridgeError, ValueError):
        return
    new, changed = outcomes
    require(on.applied(new).ref != made.ref, "a batch of two verbs was taken, and a create changed a record")
    require(on.applied(changed).ref == made.ref, "a batch of two verbs was taken, and a change made a record")


@law
def a_verb_that_is_not_claimed_is_refused(on: Trial) -> None:
    """A write of a sort that was never claimed is refused, and never reported as done."""
    on.needs("apply")
    able, why = on.able, because(Code.CHANGED)
    if able.creates and able.updates and able.archives and able.deletes:
        raise NotClaimed("less", "every sort of write is claimed")
    made = _there(on)
    actions: list[tuple[object, Action]] = [
        (able.creates, on.create(on.fresh())),
        (able.updates, on.update(made.ref, on.changing(made))),
        (able.archives, Archive(made.ref, "key", why)),
        (able.deletes, Delete(made.ref, "key", why)),
    ]
    for action in (action for claimed, action in actions if not claimed):
        try:
            [outcome] = on.run(on.sink.apply([action]))
        except (CrmBridgeError, NotImplementedError):
            continue
        done = isinstance(outcome, Applied)
        require(not done, f"{type(action).__name__} is not claimed, and is answered by Applied")


def _there(on: Trial) -> Made:
    """Give a record that is there, so that what is done to it could be done; where nothing makes one, one that is not."""
    try:
        return on.make()[0]
    except NotClaimed:
        return Made(RecordRef(on.system, on.kind.name, "1"), {})


@law
def an_empty_batch_is_nothing(on: Trial) -> None:
    """An empty batch has no outcomes and is no error."""
    on.needs("apply")
    require(list(on.run(on.sink.apply([]))) == [], "nothing was to be written, and there is an outcome")


@law
def a_field_that_is_not_there_is_refused(on: Trial) -> None:
    """A value for a field that the system does not have is refused, and not dropped in silence."""
    on.needs("apply", "creates")
    try:
        [outcome] = on.apply([on.create({**on.fresh(), "NoSuchField": "x"})])
    except CrmBridgeError:
        return
    kind = type(outcome).__name__
    require(isinstance(outcome, Rejected), f"a value for a field that is not there was answered by {kind}")


@law
def a_field_that_is_read_only_is_refused(on: Trial) -> None:
    """A value for a field that the schema calls read-only is refused, and not dropped in silence."""
    on.needs("apply", "creates")
    fields = [spec for spec in on.schema().fields.values() if spec.read_only]
    if not fields:
        raise NotClaimed("schema", "no field is read-only")
    for spec in fields[:5]:
        try:
            [outcome] = on.apply([on.create({**on.fresh(), spec.name: value_of(spec, on.first)})])
        except CrmBridgeError:
            continue
        require(
            not isinstance(outcome, Applied), f"{spec.name} is read-only, and a value for it was answered by Applied"
        )


@law
def a_lost_answer_is_told(on: Trial) -> None:
    """A create whose answer was lost is uncertain or raises `Unreachable`, and is not sent twice outside of class A."""
    on.needs("apply", "creates")
    hand = on.kind.hand
    if hand.lose_answer is None:
        raise NotClaimed("lost answers", "no answer can be lost here: give Hand(lose_answer=...)")
    action = on.create(on.fresh())
    before = hand.writes() if hand.writes else 0
    hand.lose_answer()
    outcome: Outcome | None = None
    try:
        [outcome] = on.run(on.sink.apply([action]))
    except Unreachable as error:
        require(error.may_have_arrived, "the answer was lost, and the error says that nothing arrived")
    written = (hand.writes() - before) if hand.writes else 1
    keyed = on.able.creates == "A"
    # A keyed create may be written again: what counts are records, and another law counts them.
    require(keyed or written <= 1, f"the answer to a create was lost, and the record was made {written} times")
    if isinstance(outcome, Applied):
        require(keyed, "the answer to a create was lost, and the outcome says Applied though no key protects it")
    elif outcome is not None:
        name = type(outcome).__name__
        require(isinstance(outcome, Uncertain), f"the answer to a create was lost, and the outcome says {name}")


@law
def no_value_and_no_secret_is_in_an_error(on: Trial) -> None:
    """What goes wrong with a record is told without its values and without a secret."""
    on.needs("apply", "creates")
    canary = f"canary{on.first}"
    wrong = _wrong(on, canary)
    actions: list[Action] = [on.create({**on.fresh(), **values}) for values in wrong]
    if on.able.updates:
        [made] = on.make()
        actions += [on.update(made.ref, values) for values in wrong]
    told: list[str] = []
    for action in actions:
        try:
            outcomes: Sequence[Outcome] = on.apply([action])
        except Exception as error:  # noqa: BLE001 - whatever is raised will be logged
            told += [str(error), repr(error)]
            told += [repr(error.__cause__), repr(error.__context__)]
        else:
            told += [repr(outcome) for outcome in outcomes]
            told += [str(one.reason) for one in outcomes if isinstance(one, Rejected | Postponed | Uncertain)]
    text = " ".join(told)
    require(canary not in text, "a value that was refused stands in the error or in the reason")
    require(not any(secret in text for secret in on.kind.secrets), "a secret stands in an error or in a reason")


def _wrong(on: Trial, canary: str) -> list[dict[str, Cell]]:
    """Give values that cannot be written for several reasons, each with a text that may be repeated nowhere."""
    wrong: list[dict[str, Cell]] = [{"NoSuchField": canary}]
    for spec in on.schema().fields.values():
        if spec.read_only:
            wrong.append({spec.name: canary})
        elif spec.type in {"number", "date", "instant", "flag", "email"} or spec.options:
            wrong.append({spec.name: (canary,) if spec.type == "choices" else canary})
        elif spec.max_length is not None and spec.type == "text":
            wrong.append({spec.name: canary * spec.max_length})
    return wrong[:20]


@law
def a_record_that_is_gone_is_stale(on: Trial) -> None:
    """A change to a record that is gone is `Stale` or refused; it makes nothing anew."""
    on.needs("apply", "updates")
    [made] = on.make()
    on.take_away(made.ref)
    [outcome] = on.apply([on.update(made.ref, on.changing(made))])
    name = type(outcome).__name__
    require(isinstance(outcome, Stale | Rejected), f"the record is gone, and its change is answered by {name}")
    if hasattr(on.connector, "fetch"):
        on.wait()
        require(not len(on.fetch(made.ref).rows), "a change brought back a record that somebody removed")


WRITING: tuple[Law[Trial], ...] = (
    one_outcome_per_action_in_order,
    a_bad_action_fails_alone,
    a_full_batch_is_taken,
    a_batch_that_is_too_long_is_not_cut,
    a_write_takes_no_more_requests_than_declared,
    one_kind_and_one_verb_per_batch,
    a_verb_that_is_not_claimed_is_refused,
    an_empty_batch_is_nothing,
    a_field_that_is_not_there_is_refused,
    a_field_that_is_read_only_is_refused,
    a_lost_answer_is_told,
    no_value_and_no_secret_is_in_an_error,
    a_record_that_is_gone_is_stale,
)
