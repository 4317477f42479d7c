"""The laws of `Sink.find`: it answers what it was asked, and no more."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import MISSING, FieldSpec, FieldType, Normalisation, Record
from ...protocols import ID_FIELD
from ._given import Made
from ._law import Law, NotClaimed, law, require
from ._samples import HOSTILE
from ._trial import Trial

_MORE = 12
"""More records than a question asks for at first."""


def _keys(on: Trial, made: Made) -> Mapping[str, str]:
    """Give the keys by which a record can be asked for: declared fields of the sample that hold text, and its id."""
    on.needs("find", "finds_by")
    keys = {ID_FIELD: made.ref.id} if ID_FIELD in on.able.finds_by else {}
    for name in sorted(on.able.finds_by & set(made.values)):
        value = made.values[name]
        if isinstance(value, str) and value:
            keys[name] = value
    if not keys:
        raise NotClaimed("finds_by", "the sample has none of the fields that can be asked for")
    return keys


def _two(on: Trial) -> tuple[Made, Made]:
    on.needs("find", "finds_by")
    one, two = on.make(2)
    on.wait(search=True)
    return one, two


@law
def find_answers_what_it_finds_and_no_more(on: Trial) -> None:
    """A search by each declared key finds the record that has it, and none that has not."""
    one, two = _two(on)
    for name, value in _keys(on, one).items():
        [rows] = on.find(on.question({name: value}, limit=200))
        found = {record.ref for record in rows}
        require(one.ref in found, f"{one.ref} is not found by its {name}")
        if name == ID_FIELD or two.values.get(name) != value:
            require(two.ref not in found, f"asked for one {name}, and a record with another one was found")
        _check_rows(on, rows.fields, list(rows), one)


def _check_rows(on: Trial, fields: tuple[str, ...], found: list[Record], made: Made) -> None:
    require(fields == on.names, f"fields {on.names} were asked for, and the rows have {fields}")
    for record in found:
        if record.ref == made.ref:
            on.holds(record, made.values, "what was found holds other values than were written")
            require(all(record.get(name) is not MISSING for name in on.names), "what was found lacks fields")


@law
def one_answer_per_question_in_order(on: Trial) -> None:
    """One answer per question, in order."""
    one, two = _two(on)
    name, value = next(iter(_keys(on, one).items()))
    other = _keys(on, two)[name]
    nobody = "no-such-record" if name == ID_FIELD else f"x{value}"
    asked = [on.question({name: key}) for key in (other, nobody, value, other)]
    answers = on.find(*asked)
    require(len(answers) == len(asked), f"{len(asked)} questions have {len(answers)} answers")
    found = [one.ref in {record.ref for record in rows} for rows in answers]
    require(found == [False, False, True, value == other], f"answers stand at other questions: {found}")
    require(not len(answers[1]), "a key that nobody has finds a record")
    require(list(on.find()) == [], "no question was asked, and an answer came")


@law
def a_blank_key_finds_nothing(on: Trial) -> None:
    """A blank key finds nothing."""
    one, _ = _two(on)
    for name in _keys(on, one):
        for blank in ("", " ", "　"):
            [rows] = on.find(on.question({name: blank}))
            require(not len(rows), f"a blank {name} finds {len(rows)} records")


@law
def where_more_are_found_limit_of_them(on: Trial) -> None:
    """Where more are found, `limit` of them."""
    one, two = _two(on)
    keys = _keys(on, one), _keys(on, two)
    name = next(iter(keys[0]))
    alternatives = [{name: one_key[name]} for one_key in keys]
    for limit, least in ((1, 1), (2, 2), (10, 2)):
        [rows] = on.find(on.question(*alternatives, limit=limit))
        count = len(rows)
        require(least <= count <= limit, f"two records answer, {limit} may be told, and {count} are")


@law
def fewer_are_found_only_where_there_are_no_more(on: Trial) -> None:
    """Fewer than `limit` of them only where there are no more.

    Who is told of fewer concludes that these are all, and makes a record whose counterpart was kept back.
    """
    on.needs("find", "finds_by")
    made = on.make(_MORE)
    on.wait(search=True)
    name = next(iter(_keys(on, made[0])))
    question = on.question(*({name: _keys(on, one)[name]} for one in made), limit=_MORE)
    [rows] = on.find(question)
    missing = {one.ref for one in made} - {record.ref for record in rows}
    require(
        len(rows) >= _MORE or not missing,
        f"{_MORE} records answer, as many may be told, and {len(missing)} of them are missing",
    )


@law
def all_keys_of_an_alternative_must_agree(on: Trial) -> None:
    """A record is found where all keys of one alternative agree, and where any alternative does."""
    one, two = _two(on)
    mine, other = _keys(on, one), _keys(on, two)
    shared = [name for name in mine if mine[name] != other.get(name)]
    first = shared[0]
    [either] = on.find(on.question({first: mine[first]}, {first: other[first]}))
    found = {record.ref for record in either}
    require({one.ref, two.ref} <= found, f"two alternatives have a record each; found: {len(found)}")
    if len(shared) < 2:
        return
    second = shared[1]
    [crossed] = on.find(on.question({first: mine[first], second: other[second]}))
    require(
        not len(crossed), f"no record has the {first} of one and the {second} of another; {len(crossed)} were found"
    )
    [both] = on.find(on.question({first: mine[first], second: mine[second]}))
    require(one.ref in {record.ref for record in both}, f"a record is not found by its {first} and {second} together")


@law
def hostile_text_in_a_question_is_data(on: Trial) -> None:
    """Text with quotes, signs and line breaks is looked for as it is, and changes no question."""
    one, _ = _two(on)
    for name in _keys(on, one):
        if name == ID_FIELD or on.spec(name).type not in {"text", "email"}:
            continue
        for what, text in HOSTILE.items():
            [rows] = on.find(on.question({name: f"{text} {on.first}"}))
            require(not len(rows), f"nobody has {what} in {name}, and {len(rows)} records were found")


@law
def find_shows_a_change(on: Trial) -> None:
    """A record that changed is found as it is now, once the declared lag of the search has passed."""
    one, _ = _two(on)
    values = on.changing(one)
    keys = {name: value for name, value in _keys(on, one).items() if name not in values}
    if not keys:
        raise NotClaimed("finds_by", "every field that can be asked for changes too: declare @id")
    question = on.question(keys)
    on.find(question)
    on.edit(one, values)
    on.wait(search=True)
    [rows] = on.find(question)
    found = [record for record in rows if record.ref == one.ref]
    require(found, f"{one.ref} was changed in other fields than it is found by, and is found no more")
    on.holds(found[0], values, f"{on.able.index_lag} after a change, find still gives what was there before")


@law
def another_case_is_another_key(on: Trial) -> None:
    """A text is not found by another case of it, unless its field declares so; addresses of mail are let alone."""
    one, _ = _two(on)
    tried = 0
    for name, value in _keys(on, one).items():
        other = value.swapcase()
        if other == value or (name != ID_FIELD and _ignores_case(on.spec(name))):
            continue
        tried += 1
        [rows] = on.find(on.question({name: other}))
        said = "its case was changed; say Normalisation.CASE where it does not count"
        require(one.ref not in {record.ref for record in rows}, f"{one.ref} is found by its {name} although {said}")
    if not tried:
        raise NotClaimed("finds_by", "case counts in no field that can be asked for")


def _ignores_case(spec: FieldSpec) -> bool:
    # Most vendors compare addresses without case, and a matcher looks at what was found again.
    return spec.type is FieldType.EMAIL or Normalisation.CASE in spec.normalises


@law
def what_can_be_asked_for_is_a_field(on: Trial) -> None:
    """Each field that a search can be asked for is a field of the kind, our own key, or the id."""
    on.needs("find", "finds_by")
    known = {ID_FIELD, on.able.create_key, *on.schema().fields}
    strange = sorted(on.able.finds_by - known)
    require(not strange, f"finds_by names {', '.join(strange)}, which the schema does not have")


@law
def a_search_for_what_is_gone_finds_it(on: Trial) -> None:
    """A question for deleted, merged and converted records too finds them by our own key."""
    on.needs("find", "create_key")
    key = on.able.create_key or ""
    action = on.create(on.fresh())
    ref = on.applied(on.apply([action])[0]).ref
    on.wait()
    on.take_away(ref)
    [rows] = on.find(on.question({key: action.key}, gone=True))
    require(ref.id in rows.ids, "our own record was deleted, and a look for what is gone does not find it by its key")
    [there] = on.find(on.question({key: action.key}))
    require(ref.id not in there.ids, "a look for what is there finds a record that was deleted")


FINDING: tuple[Law[Trial], ...] = (
    find_answers_what_it_finds_and_no_more,
    one_answer_per_question_in_order,
    a_blank_key_finds_nothing,
    where_more_are_found_limit_of_them,
    fewer_are_found_only_where_there_are_no_more,
    all_keys_of_an_alternative_must_agree,
    hostile_text_in_a_question_is_data,
    find_shows_a_change,
    another_case_is_another_key,
    what_can_be_asked_for_is_a_field,
    a_search_for_what_is_gone_finds_it,
)
