"""What a pipeline needs of a store that keeps fingerprints in place of values, and what it cannot have there."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from ..definition import Definition
from ..errors import CapabilityError, PairError, StateError
from ..flow import Flow, call
from ..given import Reference
from ..model import SIDES
from ..plan import PairedField
from ..policies import Monotone, has_part, only_compares, parts_of
from ..roles import FINGERPRINTS, StateStore


@attrs.frozen
class Unkept:
    """Something that cannot work without old values, and what to do about it."""

    where: str
    says: str
    error: type[PairError | CapabilityError] = CapabilityError


def keeps_values(store: StateStore) -> bool:
    """Say whether a store keeps values; only one that does not says so."""
    return bool(getattr(store, "keeps_values", True))


def admitted(definition: Definition, store: StateStore) -> Flow[None]:
    """Refuse what needs old values where the store keeps none, and a store that would take fingerprints for values.

    Raises `PairError`, `CapabilityError` and `StateError`, before anything is read.
    """
    if keeps_values(store):
        if (yield from call(store.tokens.get, FINGERPRINTS + definition.name)) is not None:
            raise StateError(
                f"{definition.name}: this state is kept as fingerprints; open it as it was written, with "
                "FingerprintStore(store, key=...)"
            )
        return
    for one in unkept(definition):
        raise one.error(f"{definition.name}: {one.where}: {one.says}")


def unkept(definition: Definition) -> Iterator[Unkept]:
    """Name all that a store of fingerprints cannot serve."""
    for pair in definition.every_field:
        yield from _of_pair(definition, pair)
    if definition.paced is not None and definition.paced.by is not None:
        yield Unkept(f"paced(by={definition.paced.by!r})", "a cool-down by a value would be kept; count by record")
    if not definition.left.reads:
        yield Unkept(
            definition.left.system, "it cannot be read by id, so its deliveries would be kept, and they are values"
        )
    for side in SIDES:
        if side == "left" and not definition.may_write_left:
            continue
        end = definition.end(side)
        for kind in end.kinds if definition.topology != "events" else ():
            if not end.capabilities(kind).answers_with_stored:
                yield Unkept(
                    f"{end.system}.{kind}",
                    "its answers do not tell what was stored, and without the value that was sent nobody can tell our own "
                    "write from an edit; use a store that keeps values",
                )
        if definition.creates(side) and end.new is not None and end.capabilities(end.new).create_key is None:
            yield Unkept(
                f"{end.system}.{end.new}",
                "a new record carries no key of ours, and one whose answer is lost could not be found again by its values; "
                f"name a field for it in the connector, or creates({side}=False)",
            )


def _of_pair(definition: Definition, pair: PairedField) -> Iterator[Unkept]:
    policy = pair.policy or definition.default_policy
    if isinstance(pair.via, Reference):
        yield Unkept(
            f"the pair {pair.label}", "a reference that crosses both ways needs the value it had; put() one", PairError
        )
    odd = next((part for part in parts_of(policy) if not only_compares(part)), None)
    if odd is None and pair.via is not None and has_part(policy, Monotone):
        odd = policy
    if odd is not None:
        yield Unkept(
            f"the pair {pair.label}",
            f"the policy {odd.name} needs the values that both sides agreed on, and this store keeps fingerprints alone; "
            "give the pair a policy that only compares, newest_wins for one, or use a store that keeps values",
            PairError,
        )
