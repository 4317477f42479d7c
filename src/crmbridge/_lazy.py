"""Names of a package that are loaded when they are first asked for (PEP 562).

To import one name loads what that name needs, and no more: a class of attrs takes up to half a millisecond to make, so a
program that only says what a pipeline should do waits for few of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping


def lazily(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Make the `__getattr__` and the `__dir__` of a package, from its modules and the names that each of them gives.

    A type checker reads ordinary imports under `TYPE_CHECKING` instead; a test of the house keeps both alike.
    """
    home_of = {name: home for home, names in homes.items() for name in names.split()}

    def given(name: str) -> object:
        import sys
        from importlib import import_module

        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{package}.{home_of[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return given, lambda: sorted(home_of)
