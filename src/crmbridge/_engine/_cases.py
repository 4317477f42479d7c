"""Which case a record falls into, when it is tied to its counterpart."""

from __future__ import annotations

from ..cases import chosen
from ..model import Link, Record
from ..plan import raised
from ..protocols import Crossing
from ..reasons import Code, Fact, Reason, because
from ._run import Run


def case_of(run: Run, left: Record | None, right: Record | None, link: Link | None = None) -> str | Reason | None:
    """Name the case of a left record, or say that none admits it; None where the pipeline has no cases.

    Raises `Raised` where a condition does. A link keeps the case that it was made in, also while the pipeline has no
    cases; one from before there were cases takes one when it is next decided.
    """
    cases = run.definition.cases
    if not cases or left is None or (link is not None and link.case is not None):
        return None if link is None else link.case
    crossing = Crossing(left, right, link, "linking" if right is not None else "creating", "right")
    try:
        found = chosen(cases, crossing)
    except Exception as error:  # noqa: BLE001 - whatever a condition of one's own runs into
        raise raised(error, f"cases({', '.join(case.name for case in cases)})") from None
    if found is not None:
        return found.name
    return None if link is not None else because(Code.NO_CASE)


def told(case: str | None) -> dict[str, Fact]:
    """Give the fact by which a reason names a case."""
    return {} if case is None else {"case": case}
