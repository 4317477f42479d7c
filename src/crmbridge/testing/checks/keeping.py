"""The laws of a connector that is both read and written: what it says was done, was done, and nothing else."""

from __future__ import annotations

from ...model import Applied, Archive, Delete, RecordRef, Rejected, Stale, is_blank
from ...reasons import Code, because
from ._given import Made
from ._law import Law, NotClaimed, law, require
from ._trial import Trial
from ._whole import answered_truly


def made_by_us(on: Trial, count: int = 1) -> list[Made]:
    """Make records by the connector, and wait until they show."""
    on.needs("fetch")
    made = [
        Made(on.applied(outcome).ref, values) for outcome, values in on.creating([on.fresh() for _ in range(count)])
    ]
    on.wait()
    return made


def _state(on: Trial, ref: RecordRef) -> dict[str, object]:
    record = on.get(ref)
    return {name: record.get(name) for name in on.names}


@law
def what_was_written_is_there(on: Trial) -> None:
    """A record that was made holds what it was made with, and a change what it was changed to."""
    for made in made_by_us(on, 3):
        on.holds(on.get(made.ref), made.values, "a create was answered by Applied")
        if on.able.updates:
            values = on.changing(made)
            on.applied(on.apply([on.update(made.ref, values)])[0])
            on.wait()
            on.holds(on.get(made.ref), values, "a change was answered by Applied")


@law
def each_value_goes_to_its_own_record(on: Trial) -> None:
    """In a batch of changes every record gets its own values."""
    on.needs("updates")
    made = made_by_us(on, 3)
    changes = [on.changing(one) for one in made]
    for outcome in on.apply([on.update(one.ref, values) for one, values in zip(made, changes, strict=True)]):
        on.applied(outcome)
    on.wait()
    for at, (one, values) in enumerate(zip(made, changes, strict=True)):
        record = on.get(one.ref)
        mixed = any(on.told_of_another(record, values, other) for other in changes[:at] + changes[at + 1 :])
        said = "of a batch, a record got what was meant for another"
        on.holds(record, values, said if mixed else "a change of a batch was answered by Applied")


@law
def a_field_not_named_is_not_touched(on: Trial) -> None:
    """A field not named is not touched."""
    on.needs("updates")
    [made] = made_by_us(on)
    before = _state(on, made.ref)
    name, value = next(iter(on.changing(made).items()))
    on.applied(on.apply([on.update(made.ref, {name: value})])[0])
    on.wait()
    after = _state(on, made.ref)
    touched = [held for held in before if held != name and before[held] != after[held]]
    require(not touched, f"{name} was written, and {', '.join(touched)} changed too")


@law
def a_record_not_named_is_not_touched(on: Trial) -> None:
    """A write changes its own record and no other."""
    on.needs("updates")
    one, two = made_by_us(on, 2)
    before = _state(on, two.ref)
    on.applied(on.apply([on.update(one.ref, on.changing(one))])[0])
    on.wait()
    require(_state(on, two.ref) == before, f"{one.ref} was written, and {two.ref} changed too")


@law
def an_update_with_an_old_version_is_stale(on: Trial) -> None:
    """An `Update` with a wrong `if_version` is `Stale` if the capability is declared, and changes nothing."""
    on.needs("updates", "conditional_writes")
    [made] = made_by_us(on)
    version = on.get(made.ref).version
    require(version, "conditional writes are promised, and fetch tells no version")
    first, second = on.changing(made), on.changing(made)
    on.edit(made, first)
    [outcome] = on.apply([on.update(made.ref, second, if_version=version)])
    name = type(outcome).__name__
    require(isinstance(outcome, Stale), f"the record moved on since it was read, and the change is answered by {name}")
    on.wait()
    on.holds(on.get(made.ref), first, "a change that was stale was done nevertheless")


@law
def an_update_with_the_right_version_is_done(on: Trial) -> None:
    """An `Update` with the version that was read is done."""
    on.needs("updates", "conditional_writes")
    [made] = made_by_us(on)
    for _ in range(2):
        values = on.changing(made)
        version = on.get(made.ref).version
        [outcome] = on.apply([on.update(made.ref, values, if_version=version)])
        on.applied(outcome)
        on.wait()
        on.holds(on.get(made.ref), values, "a change with the right version was answered by Applied")


@law
def a_removal_with_an_old_version_is_stale(on: Trial) -> None:
    """A removal with a wrong `if_version` is `Stale` if the capability is declared, and removes nothing."""
    on.needs("conditional_writes")
    [made] = made_by_us(on)
    version = on.get(made.ref).version
    on.edit(made, on.changing(made))
    [outcome] = on.apply([on.removal(made.ref, if_version=version)])
    name = type(outcome).__name__
    require(isinstance(outcome, Stale), f"the record moved on since it was read, and its removal is answered by {name}")
    on.wait()
    on.get(made.ref)


@law
def the_answer_tells_what_is_stored(on: Trial) -> None:
    """What a write's answer says is stored is what fetch gives, if the capability is declared."""
    on.needs("updates", "answers_with_stored")
    [made] = made_by_us(on)
    for values in (on.changing(made), on.changing(made)):
        [outcome] = on.apply([on.update(made.ref, values)])
        applied = on.applied(outcome)
        require(applied.stored is not None, "answers with what is stored are promised, and the answer tells nothing")
        on.wait()
        record = on.get(made.ref)
        untold = [name for name in values if name not in (applied.stored or {})]
        require(not untold, f"the answer was asked for {', '.join(untold)}, and does not tell them")
        answered_truly(on, applied, record, "change")


@law
def our_own_write_is_read(on: Trial) -> None:
    """What we made and changed ourselves is in the changes that are read on."""
    on.needs("read", "incremental")
    cursor = on.end()
    made = made_by_us(on, 2)
    seen = {record.ref for page in on.pages(cursor) for record in page.rows}
    require({one.ref for one in made} <= seen, "records that we made after the cursor are not read")


@law
def nothing_is_written_twice(on: Trial) -> None:
    """As many creates as were asked for make as many records."""
    on.needs("read")
    before = {record.ref for page in on.pages() for record in page.rows}
    made = {one.ref for one in made_by_us(on, 3)}
    new = {record.ref for page in on.pages() for record in page.rows} - before
    require(new == made, f"3 records were to be made, and there are {len(new)} more")


@law
def a_clear_clears(on: Trial) -> None:
    """A field that is written with None is empty afterwards, and no other is."""
    on.needs("updates")
    name = on.text_field()
    if on.spec(name).required:
        raise NotClaimed("text", f"{name} is required and cannot be cleared; name another: KindUnderTest(text=...)")
    [made] = made_by_us(on)
    if name not in on.names:
        raise NotClaimed("text", f"{name} is not in the sample")
    before = _state(on, made.ref)
    on.applied(on.apply([on.update(made.ref, {name: None})])[0])
    on.wait()
    after = _state(on, made.ref)
    require(is_blank(after[name]), f"{name} was cleared, and still holds something")  # type: ignore[arg-type]
    cleared = [held for held in before if held != name and before[held] != after[held]]
    require(not cleared, f"{name} was cleared, and {', '.join(cleared)} changed too")


@law
def a_refused_change_changes_nothing(on: Trial) -> None:
    """A change of which one value is refused is not done by half."""
    on.needs("updates")
    [made] = made_by_us(on)
    before = _state(on, made.ref)
    try:
        [outcome] = on.apply([on.update(made.ref, {**on.changing(made), "NoSuchField": "x"})])
    except Exception:  # noqa: BLE001 - however it is refused; what matters is what is there
        outcome = None
    require(not isinstance(outcome, Applied), "a value for a field that is not there was answered by Applied")
    on.wait()
    require(_state(on, made.ref) == before, f"a change of {made.ref} was refused, and is there in part")


def _removed(on: Trial, made: Made, verb: type[Archive | Delete]) -> None:
    cursor = on.end() if hasattr(on.connector, "read") else None
    action = verb(made.ref, f"remove {made.ref.id}", because(Code.REMOVED))
    on.applied(on.apply([action])[0])
    on.wait()
    require(not len(on.fetch(made.ref).rows), f"{made.ref} was answered as gone, and is fetched")
    if hasattr(on.connector, "read"):
        pages = list(on.pages(cursor))
        require(made.ref not in {one.ref for page in pages for one in page.rows}, f"{made.ref} is gone, and is read")
        if on.able.sees_deletes:
            left = {one.ref for page in pages for one in page.departures}
            require(made.ref in left, f"{made.ref} was removed by us, and no departure says so")
    [again] = on.apply([action])
    name = type(again).__name__
    require(isinstance(again, Applied | Stale | Rejected), f"what is gone was removed again, and the answer is {name}")


@law
def what_is_archived_is_away(on: Trial) -> None:
    """A record that is archived is neither read nor fetched, and to archive it again does no harm."""
    on.needs("archives")
    made, other = made_by_us(on, 2)
    _removed(on, made, Archive)
    on.get(other.ref)


@law
def what_is_deleted_is_gone(on: Trial) -> None:
    """A record that is deleted is neither read nor fetched, and to delete it again does no harm."""
    on.needs("deletes")
    made, other = made_by_us(on, 2)
    _removed(on, made, Delete)
    on.get(other.ref)


@law
def our_hand_is_told_from_another(on: Trial) -> None:
    """The author of our own write is another than that of a person's, if authors are told."""
    on.needs("updates", "tells_author")
    if on.kind.hand.edit is None:
        raise NotClaimed("tells_author", "nobody else writes here: give Hand(edit=...)")
    [made] = made_by_us(on)
    ours = on.get(made.ref).author
    on.edit(made, on.changing(made))
    theirs = on.get(made.ref).author
    require(ours is not None and theirs is not None, "authors are promised, and fetch tells none")
    require(ours != theirs, "a person changed the record, and its author is the one who made it for us")


KEEPING: tuple[Law[Trial], ...] = (
    what_was_written_is_there,
    each_value_goes_to_its_own_record,
    a_field_not_named_is_not_touched,
    a_record_not_named_is_not_touched,
    an_update_with_an_old_version_is_stale,
    an_update_with_the_right_version_is_done,
    a_removal_with_an_old_version_is_stale,
    the_answer_tells_what_is_stored,
    our_own_write_is_read,
    nothing_is_written_twice,
    a_clear_clears,
    a_refused_change_changes_nothing,
    what_is_archived_is_away,
    what_is_deleted_is_gone,
    our_hand_is_told_from_another,
)
