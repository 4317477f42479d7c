"""Schema drift: what changed at a system since its schema was last read, noticed before anything is written."""

from __future__ import annotations

from collections.abc import Iterable

from ..check import Finding
from ..errors import PairError


def refuse_drift(name: str, findings: Iterable[Finding]) -> None:
    """Refuse to run with pairs that have ceased to work; raises `PairError` with each field, its pair and the remedy.

    The old schema stays stored, so every run says the same until the pair is mended.
    """
    fatal = [finding for finding in findings if finding.fatal]
    if fatal:
        told = " ".join(f"{f.say()} (pair {f.pair})" if f.pair else f.say() for f in fatal)
        raise PairError(f"{name}: the schema has changed. {told}")
