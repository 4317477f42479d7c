"""What people do at both vendors between the first run and the second."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import attrs

from ...model import RecordRef
from ._people import phone
from ._scene import Placed, Role, Scene, person_ref, prospect_ref

BETWEEN: Final = 20.0
"""Seconds from one edit to the next; well above the five within which nobody can be called the newer one."""

_LONG_CITY: Final = (
    "三重県北牟婁郡紀北町とその周辺の市町村をまとめて担当しているため所在地は営業部までお問い合わせください"
)


@attrs.frozen
class Edit:
    """One thing that people did, and the records that it shows in."""

    name: str
    """The key of the sentence that tells it."""
    who: Placed = attrs.field(repr=False)
    refs: tuple[RecordRef, ...]


Act: TypeAlias = Callable[[Scene, Placed], tuple[RecordRef, ...]]


def happen(scene: Scene) -> Sequence[Edit]:
    """Let everything happen, one thing after the other, each to somebody else."""
    edits: list[Edit] = []
    for number, (name, (role, act)) in enumerate(_EDITS.items()):
        who = scene.placed[role][20 + 3 * number]
        kind = "Contact" if role is Role.CONTACT else "Lead"
        known = [prospect_ref(who.prospect)] if who.prospect else []
        known += [person_ref(kind, who.person)] if who.person else []
        edits.append(Edit(name, who, (*known, *act(scene, who))))
        scene.clock.advance(BETWEEN)
    return edits


def _phone_in_salesforce(scene: Scene, who: Placed) -> tuple[RecordRef, ...]:
    scene.salesforce.edit("Lead", who.person, Phone=phone(1_234_567))
    return ()


def _title_in_form(scene: Scene, who: Placed) -> tuple[RecordRef, ...]:
    scene.unit.edit("prospect", who.prospect, jobTitle="取締役")
    return ()


def _phone_in_form(scene: Scene, who: Placed) -> tuple[RecordRef, ...]:
    scene.unit.edit("prospect", who.prospect, phone=phone(7_654_321))
    return ()


def _phone_in_both(scene: Scene, who: Placed) -> tuple[RecordRef, ...]:
    scene.salesforce.edit("Contact", who.person, Phone=phone(2_000_001))
    scene.unit.edit("prospect", who.prospect, phone=phone(2_000_002))
    return ()


def _title_in_both(scene: Scene, who: Placed) -> tuple[RecordRef, ...]:
    scene.salesforce.edit("Lead", who.person, Title="副部長")
    scene.unit.edit("prospect", who.prospect, jobTitle="本部長")
    return ()


def _address_in_both(scene: Scene, who: Placed) -> tuple[RecordRef, ...]:
    scene.salesforce.edit("Lead", who.person, Street="本町1-2-3 旧館")
    scene.clock.advance(BETWEEN)
    scene.unit.edit("prospect", who.prospect, addressOne="本町1-2-3 新館5階")
    return ()


def _blank_in_form(scene: Scene, who: Placed) -> tuple[RecordRef, ...]:
    scene.unit.edit("prospect", who.prospect, phone=None)
    return ()


def _blank_in_salesforce(scene: Scene, who: Placed) -> tuple[RecordRef, ...]:
    scene.salesforce.edit("Contact", who.person, Title=None)
    return ()


def _opted_out(scene: Scene, who: Placed) -> tuple[RecordRef, ...]:
    scene.unit.edit("prospect", who.prospect, optedOut=True)
    return ()


def _invalid_email(scene: Scene, who: Placed) -> tuple[RecordRef, ...]:
    # Vendor: Account Engagement takes a dot right before the @ sign, Salesforce refuses it.
    values = {"lastName": "試作", "firstName": "点", "company": who.contact.at.name, "assignedToId": scene.owner}
    made = scene.unit.put("prospect", email=f"shisaku.@c{who.contact.at.postal_code}.example", **values)
    return (prospect_ref(made),)


def _long_city(scene: Scene, who: Placed) -> tuple[RecordRef, ...]:
    scene.unit.edit("prospect", who.prospect, city=_LONG_CITY)
    return ()


def _deleted(scene: Scene, who: Placed) -> tuple[RecordRef, ...]:
    scene.salesforce.remove("Lead", who.person)
    return ()


def _converted(scene: Scene, who: Placed) -> tuple[RecordRef, ...]:
    contact = scene.salesforce.convert(who.person)
    scene.unit.edit("prospect", who.prospect, jobTitle="執行役員")
    return (person_ref("Contact", contact),)


def _assigned(scene: Scene, who: Placed) -> tuple[RecordRef, ...]:
    scene.unit.edit("prospect", who.prospect, assignedToId=scene.owner)
    return ()


_EDITS: Final[Mapping[str, tuple[Role, Act]]] = {
    "phone_in_salesforce": (Role.LEAD, _phone_in_salesforce),
    "title_in_form": (Role.LEAD, _title_in_form),
    "phone_in_form": (Role.LEAD, _phone_in_form),
    "phone_in_both": (Role.CONTACT, _phone_in_both),
    "title_in_both": (Role.LEAD, _title_in_both),
    "address_in_both": (Role.LEAD, _address_in_both),
    "blank_in_form": (Role.LEAD, _blank_in_form),
    "blank_in_salesforce": (Role.CONTACT, _blank_in_salesforce),
    "opted_out": (Role.CONTACT, _opted_out),
    "invalid_email": (Role.ONLY_LEAD, _invalid_email),
    "long_city": (Role.LEAD, _long_city),
    "deleted": (Role.LEAD, _deleted),
    "converted": (Role.LEAD, _converted),
    "assigned": (Role.UNASSIGNED, _assigned),
}
"""In the order in which they happen: to whom, and what."""
