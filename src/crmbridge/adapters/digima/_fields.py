"""What a submission consists of: the fields that documents confirm, and those that the account was given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import attrs

from ...errors import SettingsError
from ...model import FieldSpec, FieldType, Schema

CustomType: TypeAlias = Literal["テキスト", "ロングテキスト"]
"""Text, or long text. Digima has selections too, which a form post from another product cannot fill reliably."""

KIND: Final = "submission"
CUSTOM: Final = "contact.custom_fields."
FORM_TEXTS: Final = ("page_title", "page_url", "submitter_ip_address", "submitter_user_agent", "visit_cookie")

_STATIC: Final[Mapping[str, FieldType]] = MappingProxyType(
    {
        "email": FieldType.EMAIL,
        "first_name": FieldType.TEXT,
        "first_name_kana": FieldType.TEXT,
        "last_name": FieldType.TEXT,
        "last_name_kana": FieldType.TEXT,
        "personal_telephone_number": FieldType.TEXT,
        "person_in_charge_email": FieldType.EMAIL,
        "group_names": FieldType.CHOICES,
    }
)
"""What public documents confirm; the whole list is on a page of the account (available fields of web forms)."""

_CODE: Final = re.compile(r"[A-Za-z0-9_]")
_TYPES: Final = ("テキスト", "ロングテキスト")


def custom_code(code: str) -> str:
    """Take a custom field's code: half-width letters, digits and underscore.

    Raises `SettingsError` that names the first character which is none.
    """
    if not code:
        raise SettingsError(
            "a custom field's code is empty; it stands at「アカウント・機能設定」→「カスタム項目」→「コード」"
        )
    for sign in code:
        if not _CODE.fullmatch(sign):
            raise SettingsError(
                f"the custom field's code {code!r} has the character {sign!r}; only half-width letters, digits and "
                "underscore may stand in it (半角英数字またはアンダースコアのみ)"
            )
    return code


def _allowed_type(_: object, __: object, type: str) -> None:
    if type not in _TYPES:
        raise SettingsError(
            f"a custom field of type {type!r} cannot be linked; at「アカウント・機能設定」→「カスタム項目」its type must be"
            "「テキスト」or「ロングテキスト」"
        )


@attrs.frozen
class CustomField:
    """One custom field of Digima, as「カスタム項目」shows it: its code, its type and its label."""

    code: str = attrs.field(converter=custom_code)
    type: CustomType = attrs.field(default="テキスト", validator=_allowed_type)
    label: str = ""


def described(forms: Iterable[str], static: Iterable[str], custom: Iterable[CustomField]) -> Schema:
    """Describe a submission to one of these forms; *static* are further codes of a contact's own fields."""
    specs = [FieldSpec("form", FieldType.CHOICE, required=True, options=tuple(forms))]
    specs += [FieldSpec(name) for name in FORM_TEXTS]
    specs += [FieldSpec(f"contact.{name}", type) for name, type in _STATIC.items()]
    specs += [FieldSpec(f"contact.{name}") for name in static]
    specs += [FieldSpec(f"{CUSTOM}{field.code}", label=field.label) for field in custom]
    return Schema(KIND, {spec.name: spec for spec in specs})
