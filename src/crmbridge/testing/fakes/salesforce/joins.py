"""What the vendor refuses of semi-joins and anti-joins (SOQL and SOSL Reference, "Comparison Operators")."""

from collections.abc import Callable, Iterator

from crmbridge.testing.fakes.salesforce.conditions import Reach
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.fakes.salesforce.statement import Compare, Condition, Group, Not, Query, wrong

MOST = 2
"""The number of semi-joins and anti-joins in one WHERE."""
# Vendor: activities can be asked for by a semi-join but cannot be what stands behind IN.
_NEVER_INSIDE = frozenset({"Task"})


def check_places(where: Condition | None, text: str) -> None:
    """Refuse sub-selects beyond the second, and those that are not joined by AND at the top."""
    # Most queries have nothing but one comparison, which may stand where it stands.
    if where is None or isinstance(where, Compare):
        return
    placed = list(_placed(where, top=True))
    if len(placed) > MOST:
        raise Refused("EXCEEDED_MAX_SEMIJOIN_SUBSELECTS", f"Maximum {MOST} semi join sub-selects are allowed")
    for compare, top in placed:
        if not top:
            message = "Semi join sub-selects are only allowed at the top level WHERE expressions"
            message += " and not in nested WHERE expressions."
            raise wrong("MALFORMED_QUERY", text, compare.position, message)
        if isinstance(where, Group) and not where.all:
            message = "Semi join sub-selects are not allowed with the 'OR' operator"
            raise wrong("MALFORMED_QUERY", text, compare.position, message)


def _placed(condition: Condition, *, top: bool) -> Iterator[tuple[Compare, bool]]:
    if isinstance(condition, Compare):
        if condition.inner:
            yield condition, top
    elif isinstance(condition, Not):
        yield from _placed(condition.part, top=False)
    else:
        for part in condition.parts:
            yield from _placed(part, top=top and isinstance(part, Compare))


def check_sides(
    outer: tuple[Kind, Compare, Reach], inner: tuple[Kind, Query], resolve: Callable[[str, int], Reach]
) -> Reach:
    """Refuse sides that do not fit each other, and give what the sub-select selects; *resolve* finds its field."""
    (kind, compare, left), (inside, query) = outer, inner
    if inside.name in _NEVER_INSIDE:
        message = f"Entity '{inside.name}' is not supported for semi join inner selects"
        raise wrong("MALFORMED_QUERY", query.text, query.kind_position, message)
    if inside is kind:
        message = "The inner and outer selects should not be on the same object type"
        raise wrong("MALFORMED_QUERY", query.text, query.kind_position, message)
    if len(left.names) > 1:
        message = f"The left operand '{compare.path}' cannot have more than one level of relationships"
        raise wrong("MALFORMED_QUERY", query.text, compare.position, message)
    if not _ids(left):
        message = "The left operand field in the where expression for outer query should be an id field"
        raise wrong("MALFORMED_QUERY", query.text, compare.position, f"{message}, cannot use: '{compare.path}'")
    (column,) = query.columns
    right = None if column.function else resolve(column.path, column.position)
    if right and len(right.names) > 1:
        message = f"The inner select field '{column.path}' cannot have more than one level of relationships"
        raise wrong("MALFORMED_QUERY", query.text, column.position, message)
    if right is None or not _ids(right):
        message = f"semi join sub selects can only query id fields, cannot use: '{column.path}'"
        raise wrong("MALFORMED_QUERY", query.text, column.position, message)
    if not _meant(kind, left) & _meant(inside, right):
        message = (
            f"The selected field '{column.path}' in the subquery and the left operand field in the where expression"
            f" in the outer query '{compare.path}' should point to the same object type"
        )
        raise wrong("MALFORMED_QUERY", query.text, compare.position, message)
    return right


def _ids(found: Reach) -> bool:
    return found.field.type in ("id", "reference")


def _meant(kind: Kind, found: Reach) -> set[str]:
    """Give the objects of which the ids in a field are."""
    return set(found.field.references) or {kind.name}
