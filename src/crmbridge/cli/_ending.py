"""What ends a command from outside: SIGTERM is heard as Ctrl-C is, so that a run gives its lease back before it ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """The command was told to end by SIGTERM: systemd, `docker stop`, a scheduler."""


@contextmanager
def terminable() -> Generator[None, None, None]:
    """Raise `Terminated` at the first SIGTERM; a second one ends the process at once.

    Only where nobody has said yet what SIGTERM does; afterwards that is so again.
    """
    # Python lets the main thread alone say what a signal does.
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise Terminated
