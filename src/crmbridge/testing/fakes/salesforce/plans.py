"""How a record is checked, as far as its names tell: worked out once for all records with the same names."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, cast

from crmbridge.testing.fakes.salesforce import errors
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.kinds import STAMPED, Kind, Plan
from crmbridge.testing.fakes.salesforce.rules import DERIVED
from crmbridge.testing.fakes.salesforce.storing import Step, storing
from crmbridge.testing.fakes.salesforce.values import Check
from crmbridge.testing.tables import Field

MOST = 256
"""Plans kept for one purpose: a client that thinks of new names for ever fills no memory."""


class Plans(dict[tuple[str, ...], Plan]):
    """Plans for one purpose by the names of the cells, each made when its names come for the first time."""

    def __init__(self, make: Callable[[tuple[str, ...]], Plan]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, names: tuple[str, ...]) -> Plan:
        if len(self) >= MOST:
            self.clear()
        made = self[names] = self._make(names)
        return made


class Planner:
    """Makes plans, and knows the org's objects, which references point at."""

    def __init__(self, kinds: Mapping[str, Kind], prefixes: Mapping[str, Kind]) -> None:
        self._kinds = kinds
        self._prefixes = prefixes

    def plans(self, kind: Kind, *, creating: bool, key: str = "") -> Mapping[tuple[str, ...], Plan]:
        """Give the plans for new or held records; the cell under *key*, in lower case, only says which one is meant."""
        held = kind.plans.get((creating, key))
        if held is None:
            held = Plans(lambda names: self._made(kind, names, creating=creating, key=key))
            kind.plans[creating, key] = held
        return held

    def _made(self, kind: Kind, names: tuple[str, ...], *, creating: bool, key: str) -> Plan:
        keys = [name for name in names if key and name.lower() == key]
        steps = tuple((name, -1, None) if name in keys else self._step(kind, name, creating=creating) for name in names)
        stored = dict.fromkeys(name for name, _, check in steps if check)
        return Plan(
            stored=storing(steps),
            names=tuple(stored),
            required=tuple(name for name in kind.required if name in stored),
            unique=tuple(field for field in kind.unique if field.name in stored),
            touched=tuple(name for name in kind.table.quick if name in stored or name in DERIVED or name in STAMPED),
            key=keys[-1] if keys else None,
            has_id=any(name.lower() == "id" for name in names if name not in keys),
        )

    def _step(self, kind: Kind, name: str, *, creating: bool) -> Step:
        entry = kind.entries.get(name) or kind.entries.get(name.lower())
        if entry is None:
            return (name, -1, None) if name == "attributes" else self._related(kind, name)
        field = entry.field
        if not (field.createable if creating else field.updateable):
            return field.name, -1, _refusing(lambda: errors.read_only(field.name))
        if field.references:
            return field.name, -1, self._pointing(field, entry.check)
        return field.name, entry.plain, entry.check

    # ---- references -------------------------------------------------------------------

    def _pointing(self, field: Field, check: Check) -> Check:
        def checked(value: Any) -> str | None:
            id: str | None = check(value)
            if id is not None:
                self._points(field, id)
            return id

        return checked

    def _points(self, field: Field, id: str) -> None:
        target = self._prefixes.get(id[:3])
        if target is None or target.name not in field.references:
            raise Refused("MALFORMED_ID", f"{field.label}: id value of incorrect type: {id}", (field.name,))
        row = target.table.all.get(id)
        if row is None:
            raise Refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (field.name,))
        if row.deleted:
            raise Refused("ENTITY_IS_DELETED", "entity is deleted", (field.name,), status=404)
        if target.name == "User" and not row.values.get("IsActive"):
            raise Refused("INACTIVE_OWNER_OR_USER", f"operation performed with inactive user [{id}]", (field.name,))
        if row.values.get("IsConverted"):
            raise Refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", (field.name,))

    def _related(self, kind: Kind, name: str) -> Step:
        """Plan for a record that is named by a unique value instead of its id."""
        if name.lower() == "id":
            text = "The Id field should not be specified in the sobject data."
            return name, -1, _refusing(lambda: Refused("INVALID_FIELD", text, ("Id",)))
        field = kind.related.get(name.lower())
        if field is None:
            return name, -1, _refusing(lambda: errors.no_such_column(name, kind.name))
        return field.name, -1, lambda value: None if value is None else self._by_external_id(field, name, value)

    def _by_external_id(self, field: Field, name: str, value: Any) -> str:
        nested = cast(dict[str, Any], value) if isinstance(value, dict) else {}
        named = {key: text for key, text in nested.items() if key != "attributes"}
        if not named:
            raise errors.not_json(f"Cannot deserialize instance of reference from a value for {name}")
        key, text = next(iter(named.items()))
        for target in field.references:
            parents = self._kinds[target]
            external = parents.table.field(key)
            if external is not None and parents.looks_up(external) and isinstance(text, Hashable):
                found = parents.table.find(external.name, text)
                if len(found) > 1:
                    raise errors.ambiguous(key, [row.id for row in found])
                if found:
                    return found[0].id
        shown = "" if isinstance(text, dict | list) else str(text).lower()
        text = f"Foreign key external ID: {shown} not found for field {key} in entity {field.references[0]}"
        raise Refused("INVALID_FIELD", text)


def _refusing(refusal: Callable[[], Refused]) -> Check:
    def check(_: Any) -> None:
        raise refusal()

    return check
