"""One rule for each shape that a setting can have, by one cattrs converter."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import InvalidOperation
from functools import partial
from types import UnionType
from typing import Any, Final, Literal, TypeAlias, TypeGuard, Union, cast, get_args, get_origin

import attrs
from cattrs import Converter

from .. import _stated
from ..credentials import Secret
from ..errors import SettingsError
from ._mistakes import Gathering, Mistake, Wrong, expected, nearest, shown
from ._rules import REFUSED, refused
from ._values import LEAVES

CALLED: Final = "crmbridge.called"
"""Under this name a field's metadata holds the words of a screen."""

Lookup: TypeAlias = Callable[[str], str | None]
"""Gives the secret that goes by a name, or None: `os.environ.get`, or a keyring's."""


def converter_for(secrets: Lookup | None) -> Converter:
    """Make a converter that holds values to their types, and raises `Wrong` with all mistakes of what it was given."""
    converter = Converter(detailed_validation=False)
    _add(converter, attrs.has, lambda value, shape: _class(converter, value, shape))
    _add(converter, _is_mapping, lambda value, shape: _mapping(converter, value, shape))
    _add(converter, _is_several, lambda value, shape: _several(converter, value, shape))
    _add(converter, lambda shape: get_origin(shape) is Literal, lambda value, shape: _choice(value, get_args(shape)))
    _add(converter, _is_enum, _member)
    _add(converter, _may_be_none, lambda value, shape: _perhaps(converter, value, shape))
    _add(converter, lambda shape: shape is Secret, lambda value, _: _secret(value, secrets))
    for shape, (what, read) in LEAVES.items():
        _leaf(converter, shape, what, read)
    return converter


def _add(converter: Converter, fits: Callable[[Any], bool], structure: Callable[[Any, Any], Any]) -> None:
    converter.register_structure_hook_func(fits, structure)


def _leaf(converter: Converter, shape: type, what: str, read: Callable[[Any], object]) -> None:
    def structure(value: Any, asked: Any) -> object:
        if _is_enum(asked):
            # A StrEnum is a text too, and cattrs looks for the types of Python first.
            return _member(value, asked)
        try:
            return read(value)
        except (ValueError, TypeError, OverflowError, InvalidOperation):
            raise expected(what, value) from None

    converter.register_structure_hook(shape, structure)


def _is_table(value: object) -> TypeGuard[Mapping[object, Any]]:
    return isinstance(value, Mapping)


def _is_enum(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, enum.Enum)


def _is_mapping(shape: Any) -> bool:
    return _made_of(shape, Mapping)


def _may_be_none(shape: Any) -> bool:
    return get_origin(shape) in (Union, UnionType) and len(get_args(shape)) == 2 and type(None) in get_args(shape)


def _is_several(shape: Any) -> bool:
    return shape not in (str, bytes) and (_made_of(shape, Sequence) or _made_of(shape, AbstractSet))


def _made_of(shape: Any, base: type) -> bool:
    made = get_origin(shape) or shape
    return isinstance(made, type) and issubclass(made, base)


def _class(converter: Converter, value: Any, shape: type) -> Any:
    if not _is_table(value):
        raise expected("a table", value)
    attrs.resolve_types(shape)
    fields = {field.alias: field for field in attrs.fields(shape) if field.init}
    words = {field.metadata[CALLED]: alias for alias, field in fields.items() if CALLED in field.metadata}
    gathering, named, arguments = Gathering(), dict[str, str](), dict[str, Any]()
    for typed, inner in value.items():
        name = str(typed)
        alias = words.get(name, name)
        if alias not in fields:
            gathering.say(shown(name), f"no such setting; {nearest(name, [*fields, *words])}")
        elif alias in named:
            gathering.say(name, "is given twice, by its name and by the words of the screen")
        else:
            named[alias] = name
            gathering.part(name, partial(_keep, arguments, alias, converter, inner, fields[alias].type))
    for alias, field in fields.items():
        if field.default is attrs.NOTHING and alias not in named:
            gathering.say(field.metadata.get(CALLED, alias), "is missing")
    sound = {alias: field for alias, field in fields.items() if alias in arguments or alias not in named}
    for alias, said in refused(shape, sound, arguments):
        gathering.say(named[alias], said)
    gathering.end()
    return _made(shape, arguments)


def _keep(arguments: dict[str, Any], alias: str, converter: Converter, value: Any, sort: Any) -> None:
    """Keep what a value is; one that is wrong is left out, so that no rule is asked about it."""
    arguments[alias] = converter.structure(value, sort)


def _made(shape: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Make the object; what it refuses as a whole is told without its words, which may repeat a value."""
    try:
        return shape(**arguments)
    except SettingsError as error:
        raise Wrong(Mistake("", str(error))) from None
    except (ValueError, TypeError):
        raise Wrong(Mistake("", REFUSED)) from None


def _mapping(converter: Converter, value: Any, shape: Any) -> Any:
    if not _is_table(value):
        raise expected("a table", value)
    of_key, of_value = get_args(shape) or (str, Any)
    gathering = Gathering()
    made: dict[Any, Any] = {}
    for name, inner in value.items():
        key = gathering.part(shown(name), partial(converter.structure, name, of_key))
        made[key] = gathering.part(shown(name), partial(converter.structure, inner, of_value))
    gathering.end()
    return made


def _several(converter: Converter, value: Any, shape: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise expected("a list", value)
    members = cast("Sequence[Any]", value)
    made, kinds = get_origin(shape) or shape, get_args(shape) or (Any,)
    fixed = made is tuple and kinds[-1] is not Ellipsis
    if fixed and len(members) != len(kinds):
        raise Wrong(Mistake("", f"a list of {len(members)}, where one of {len(kinds)} is expected"))
    gathering = Gathering()
    found = [
        gathering.part(
            f"[{place}]",
            partial(converter.structure, member, kinds[place if fixed else 0]),
        )
        for place, member in enumerate(members)
    ]
    gathering.end()
    if _made_of(made, AbstractSet):
        return frozenset(found)
    return found if made is list else tuple(found)


def _perhaps(converter: Converter, value: Any, shape: Any) -> Any:
    """Take an empty text for none: TOML and the environment have no other word for it."""
    [sort] = [one for one in get_args(shape) if one is not type(None)]
    return None if value is None or value == "" else converter.structure(value, sort)


def _choice(value: Any, choices: Sequence[Any]) -> Any:
    # 1 and true are equal to Python, and two choices to a person.
    chosen = next((choice for choice in choices if type(choice) is type(value) and choice == value), None)
    if chosen is None:
        raise expected(f"one of {', '.join(map(str, choices))}", value)
    return chosen


def _member(value: Any, shape: Any) -> Any:
    return shape(_choice(value, [one.value for one in shape]))


def _secret(value: Any, lookup: Lookup | None) -> Secret:
    if not isinstance(value, str):
        raise expected("the name of a secret", value)
    if lookup is None:
        raise _unknown("nobody was given to look it up")
    try:
        found = cast("object", lookup(value))
    except LookupError:
        found = None
    except Exception as error:  # noqa: BLE001 - whatever a vault runs into; its words may hold a secret
        raise Wrong(
            Mistake("", f"the secret that goes by this name could not be looked up ({type(error).__name__})")
        ) from None
    if not found:
        raise _unknown("no secret goes by the name that stands here")
    if not isinstance(found, str):
        raise Wrong(Mistake("", f"what was looked up is {_stated.brief(found)}, where a text is expected"))
    return Secret(found)


def _unknown(why: str) -> Wrong:
    # What stands there may be the secret itself, so it is not shown.
    return Wrong(Mistake("", f"{why}; a file holds the name of a secret, never the secret"))
