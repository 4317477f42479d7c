"""The laws of `Source.fetch` and of what a connector says about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ...errors import CrmBridgeError
from ...model import Merged, Moved, RecordRef
from ...protocols import CountsFetches
from ._counting import Sent
from ._law import Law, NotClaimed, law, require
from ._trial import Trial

if TYPE_CHECKING:
    from ...protocols import IdReader


@law
def fetch_gives_what_there_is(on: Trial) -> None:
    """A record that is fetched by its id holds what was written."""
    on.needs("fetch")
    for made in on.make(2):
        on.holds(on.get(made.ref), made.values, "fetch does not give what was written")


@law
def fetch_shows_a_change(on: Trial) -> None:
    """A record that changed is fetched as it is now, once the declared lag of reading has passed."""
    on.needs("fetch")
    [made] = on.make()
    before = on.get(made.ref)
    values = on.changing(made)
    on.edit(made, values)
    after = on.get(made.ref)
    on.holds(after, values, f"{on.able.read_lag} after a change, fetch still gives what was there before")
    if before.version is not None and after.version is not None:
        require(before.version != after.version, f"{made.ref} was changed, and is fetched with the version from before")


@law
def what_is_gone_is_gone(on: Trial) -> None:
    """A ref neither among the rows nor among the departures is gone; what is gone is not among the rows."""
    on.needs("fetch")
    made, there = on.make(2)
    on.take_away(made.ref)
    never = RecordRef(on.system, on.kind.name, "no-such-record")
    page = on.fetch(made.ref, there.ref, never)
    refs = {record.ref for record in page.rows}
    require(made.ref not in refs, f"{made.ref} was removed, and is fetched as if it were there")
    require(never not in refs, "a record that never was is fetched")
    require(there.ref in refs, "a record that is there is not fetched, since another of the question is gone")
    left = {departure.ref for departure in page.departures}
    require(never not in left, "a record that never was is said to have left")
    require(there.ref not in left, "a record that is there is said to have left")


@law
def fetch_tells_a_merge(on: Trial) -> None:
    """Fetched by its id, a record that was folded into another is a departure that names the other, if declared."""
    on.needs("fetch", "sees_merges")
    if on.kind.hand.merge is None:
        raise NotClaimed("sees_merges", "nothing merges records here: give Hand(merge=...)")
    loser, winner = on.make(2)
    on.kind.hand.merge(loser.ref, winner.ref)
    on.wait()
    _lives_on(on, Merged(loser.ref, winner.ref))
    on.get(winner.ref)


@law
def fetch_tells_a_move(on: Trial) -> None:
    """Fetched by its id, a record that became one of another kind is a departure that names it, if declared."""
    on.needs("fetch", "sees_merges")
    if on.kind.hand.move is None:
        raise NotClaimed("sees_merges", "nothing moves records to another kind here: give Hand(move=...)")
    [made] = on.make()
    into = on.kind.hand.move(made.ref)
    on.wait()
    _lives_on(on, Moved(made.ref, into))


def _lives_on(on: Trial, gone: Merged | Moved) -> None:
    page = on.fetch(gone.ref)
    there = [record for record in page.rows if record.ref == gone.ref]
    require(not there, f"{gone.ref} lives on in {gone.into}, and fetch gives a row under its old id")
    found = [type(one).__name__ for one in page.departures if one.ref == gone.ref]
    require(gone in page.departures, f"{gone.ref} lives on in {gone.into}; the departures of fetch say {found}")


@law
def order_and_duplicates_do_not_matter(on: Trial) -> None:
    """Order and duplicates in the question do not matter."""
    on.needs("fetch")
    first, second = on.make(2)
    one, two = first.ref, second.ref
    once, again = on.fetch(one, two), on.fetch(two, one, two, two)
    require(
        sorted(again.rows.ids) == sorted({one.id, two.id}), f"asked for two records by four refs: {len(again.rows)}"
    )
    for page in (once, again):
        for record in page.rows:
            mine, other = (first, second) if record.ref == one else (second, first)
            mixed = on.told_of_another(record, mine.values, other.values)
            said = "of several records that are fetched together, one has the values of another"
            on.holds(record, mine.values, said if mixed else "fetch does not give what was written")


@law
def a_full_batch_of_refs_is_fetched(on: Trial) -> None:
    """As many refs as declared are fetched at once, among strangers too."""
    on.needs("fetch")
    [made] = on.make()
    most = on.able.fetch_batch
    strangers = [RecordRef(on.system, on.kind.name, f"no-such-record-{n}") for n in range(most - 1)]
    for place in sorted({0, most // 2, most - 1}):
        page = on.fetch(*strangers[:place], made.ref, *strangers[place:])
        require(page.rows.ids == (made.ref.id,), f"ref {place + 1} of {most} is there, and fetch gave {len(page.rows)}")


@law
def a_read_by_id_takes_no_more_requests_than_declared(on: Trial) -> None:
    """A batch of refs takes one request, or as many as `fetch_requests` says, so that a plan can say what it costs.

    `fetch` of records that are there sends no more requests than this says.
    """
    on.needs("fetch")
    refs = [made.ref for made in on.make(3)][: on.able.fetch_batch]
    most = on.connector.fetch_requests(refs) if isinstance(on.connector, CountsFetches) else 1
    # What a kind is like may be asked for once, and that is no read by id.
    _, sent = on.fetch(*refs[:1]), Sent()
    _ = on.run(sent.of(on.source.fetch(refs, on.names)))
    require(sent.asked <= most, f"a read of {len(refs)} records is said to take {most} requests, and took {sent.asked}")


@law
def nothing_asked_is_nothing_told(on: Trial) -> None:
    """A question for no records is answered by none."""
    on.needs("fetch")
    page = on.fetch()
    require(not len(page.rows) and not page.departures, "no ref was asked for, and records were told")


@law
def fetch_and_read_agree(on: Trial) -> None:
    """A quiet record is read and fetched with the same values, the same version, stamp and author."""
    on.needs("read", "fetch")
    [made] = on.make()
    fetched = on.get(made.ref)
    read = next((record for page in on.pages() for record in page.rows if record.ref == made.ref), None)
    if read is None:
        require(read, f"{made.ref} is fetched, and reading does not give it")
        return
    differing = [name for name in on.names if read.get(name) != fetched.get(name)]
    differing += [name for name in ("stamp", "author") if getattr(read, name) != getattr(fetched, name)]
    require(not differing, f"{', '.join(differing)} of {made.ref} are read otherwise than they are fetched")
    told = read.version is not None and fetched.version is not None
    require(
        not told or read.version == fetched.version, f"{made.ref} has one version when read and another when fetched"
    )


@law
def an_id_is_read_as_records_have_it(on: Trial) -> None:
    """The id with which a record is read stays as it is, and what is no id of the system is given back as it came."""
    on.needs("read_id", "fetch")
    reader = cast("IdReader", on.connector)
    [made] = on.make()
    id = on.get(made.ref).ref.id
    found = reader.read_id(on.kind.name, id)
    require(found == id, f"the id {id} of a {on.kind.name} is read as {found}")
    for text in ("", "no such record"):
        found = reader.read_id(on.kind.name, text)
        require(found == text, f"{text!r}, which is no id, is read as {found!r}")


@law
def the_schema_names_its_fields(on: Trial) -> None:
    """A schema is of its kind, each field stands under its own name, and asking twice says the same."""
    schema = on.run(on.connector.schema(on.kind.name))
    require(schema.kind == on.kind.name, f"the schema of {on.kind.name} says that it is of {schema.kind}")
    wrong = [name for name, spec in schema.fields.items() if spec.name != name]
    require(not wrong, f"fields {wrong[:3]} stand under another name than their own")
    unknown = [name for name in on.names if name not in schema.fields]
    require(not unknown, f"the sample has {unknown}, which the schema does not")
    again = on.run(on.connector.schema(on.kind.name))
    require(again == schema, "the schema was asked for twice, and was another")


@law
def a_kind_that_is_not_there_is_refused(on: Trial) -> None:
    """A kind that there is not is refused by an error that says so, never by an accident."""
    try:
        on.run(on.connector.schema("no such kind"))
    except CrmBridgeError:
        return
    require(False, "a kind that there is not was described")


@law
def promises_fit_together(on: Trial) -> None:
    """What is promised can be true: a class of creates has what it rests on, and no time is less than none."""
    able = on.able
    if able.creates == "A":
        require(able.create_key or able.unique, "creates of class A need create_key or unique")
    if able.creates == "B":
        require(able.create_key, "creates of class B need the field in which our key can be read back: create_key")
    require(able.batch >= 1 and able.fetch_batch >= 1, "a batch holds one record at least")
    require(all(number >= 1 for number in able.carries.values()), "a request carries one record at least")
    strange = set(able.carries) - {"create", "update", "archive", "delete"}
    require(not strange, f"carries names {sorted(strange)}, and the verbs are create, update, archive and delete")
    spans = (able.read_lag, able.index_lag, able.settles_in, able.overlap)
    require(all(span.total_seconds() >= 0 for span in spans), "a declared time is less than none")
    require(not (able.appends_only and (able.updates or able.deletes or able.archives)), "events are never changed")
    writes = able.creates or able.updates or able.archives or able.deletes
    require(not writes or hasattr(on.connector, "apply"), "writes are promised, and there is no apply")


ABOUT_ITSELF: tuple[Law[Trial], ...] = (
    the_schema_names_its_fields,
    a_kind_that_is_not_there_is_refused,
    promises_fit_together,
)

FETCHING: tuple[Law[Trial], ...] = (
    fetch_gives_what_there_is,
    fetch_shows_a_change,
    what_is_gone_is_gone,
    fetch_tells_a_merge,
    fetch_tells_a_move,
    order_and_duplicates_do_not_matter,
    a_full_batch_of_refs_is_fetched,
    a_read_by_id_takes_no_more_requests_than_declared,
    nothing_asked_is_nothing_told,
    fetch_and_read_agree,
    an_id_is_read_as_records_have_it,
)
