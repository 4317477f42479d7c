"""What the rules of a class refuse: the converter and validator of each attribute, asked alone, so that none hides another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, TypeAlias, cast

import attrs

from ..errors import SettingsError

REFUSED: Final = "a value that the rule of this setting refuses"
"""What is said of a rule that has no words for people: a validator's own may repeat the value."""

Fields: TypeAlias = "Mapping[str, attrs.Attribute[Any]]"
"""The attributes of a class that arguments fill, by the names of these."""

_FACTORY: Any = type(cast("object", attrs.Factory(dict)))


def refused(shape: type, fields: Fields, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the arguments that their own rule refuses, each with what is said of it.

    A rule that looks at a setting that is missing, or wrong itself, is not asked: that other one is told.
    """
    # Validators may look at the settings beside their own, so they get an object that holds all that is known.
    bare = cast("object", object.__new__(shape))
    for alias, field in fields.items():
        said = _said(partial(_hold, bare, field, given.get(alias, field.default)))
        if said is not None and alias in given:
            yield alias, said
    for alias, field in fields.items():
        said = _said(partial(_judge, bare, field)) if alias in given else None
        if said is not None:
            yield alias, said


def _hold(bare: object, field: Any, value: Any) -> None:
    """Let an object have a value as the class would keep it: a default made, and a converter applied."""
    if isinstance(value, _FACTORY):
        value = value.factory(bare) if value.takes_self else value.factory()
    if value is attrs.NOTHING:
        return
    if hasattr(field.converter, "takes_self"):
        value = field.converter(value, bare, field)
    elif field.converter is not None:
        value = field.converter(value)
    # A class may be frozen, or judge what is set.
    object.__setattr__(bare, field.name, value)


def _judge(bare: object, field: attrs.Attribute[Any]) -> None:
    if field.validator is not None:
        field.validator(bare, field, getattr(bare, field.name))


def _said(rule: Callable[[], object]) -> str | None:
    """Ask a rule; gives what is said of a refusal."""
    try:
        rule()
    except SettingsError as error:
        return str(error)
    except (ValueError, TypeError):
        return REFUSED
    except AttributeError:
        return None
    return None
