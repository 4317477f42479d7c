"""Drivers: those who perform what flows ask for.

`Driver` blocks, `AsyncDriver` is awaited; both send a request to its account's own origin with the credential, to a
declared origin without it, and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._async import AsyncDriver
    from ._clock import SystemClock
    from ._sync import Driver

__all__ = ["AsyncDriver", "Driver", "SystemClock"]


def __getattr__(name: str) -> Any:
    # httpx and tenacity cost more to import than all of the rest: they come with the first driver (PEP 562).
    if name == "Driver":
        from ._sync import Driver

        return Driver
    if name == "AsyncDriver":
        from ._async import AsyncDriver

        return AsyncDriver
    if name == "SystemClock":
        from ._clock import SystemClock

        return SystemClock
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
