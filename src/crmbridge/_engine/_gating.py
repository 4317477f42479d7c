"""Gates asked about a record that would cross."""

from __future__ import annotations

from typing import cast

from ..model import Link, Record, Side
from ..plan import Raised, raised
from ..protocols import Admit, Crossing, Gate, Moment, Skip
from ..reasons import Reason
from ._run import Run


def gated(
    run: Run, moment: Moment, towards: Side, left: Record | None, right: Record | None, link: Link | None
) -> Reason | None:
    """Ask the gates of a moment towards a side; gives the first refusal, or None. Raises `Raised` where a gate does."""
    for placed in run.definition.gates_for(moment, towards):
        record = left if placed.of == "left" else right
        if record is None:
            continue
        counterpart = right if placed.of == "left" else left
        verdict = _asked(placed.gate, Crossing(record, counterpart, link, placed.moment, towards))
        if isinstance(verdict, Skip):
            return verdict.because
    return None


def _asked(gate: Gate, crossing: Crossing) -> Admit | Skip:
    try:
        verdict = cast("object", gate.admit(crossing))
    except Exception as error:  # noqa: BLE001 - whatever a condition of one's own runs into
        raise _of_gate(gate, error) from None
    if isinstance(verdict, Admit | Skip):
        return verdict
    raise _of_gate(gate, TypeError())


def _of_gate(gate: Gate, error: Exception) -> Raised:
    return raised(error, getattr(gate, "name", type(gate).__name__), ", ".join(sorted(gate.fields)))
