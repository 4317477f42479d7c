"""What the vendor makes of a submission: the values that it refuses, and the form in which it stores the rest."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeGuard

import attrs

CODE = re.compile(r"[A-Za-z0-9_]+")
"""A custom field's code: half-width letters, digits and underscore."""

_EMAIL = re.compile(r"[!-?A-~]+@[!-?A-~]+")
_DOMAIN = re.compile(r".+\..+")
_PHONE = re.compile(r"[0-9]{6,15}")
_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "required": (
            "姓、名、メールアドレス、電話番号のいずれかが必要です。",
            "A name, e-mail address or telephone number is needed.",
        ),
        "invalid_format": ("形式が正しくありません。", "The format is wrong."),
        "invalid_type": ("値の型が正しくありません。", "The value has the wrong type."),
        "unknown_field": ("項目が存在しません。", "There is no such field."),
    }
)
_NAMES = ("email", "first_name", "last_name", "personal_telephone_number")
TEXTS = ("page_title", "page_url", "submitter_ip_address", "submitter_user_agent", "visit_cookie")


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Say whether a value is a JSON object."""
    return isinstance(value, dict)


def _is_array(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


@attrs.frozen
class Problem:
    """One value that the vendor refuses."""

    field: str
    code: str
    message: str


def problems(
    body: Mapping[str, Any], static: tuple[str, ...], custom: Mapping[str, str], language: str
) -> list[Problem]:
    """List what is wrong with a submission; empty where it would be registered."""
    japanese = language.lower().startswith(("ja", "jp"))
    found = [*_form(body["form"]), *_contact(body.get("contact"), static, custom)]
    return [Problem(field, code, _WORDS[code][0 if japanese else 1]) for field, code in found]


def settled(contact: Mapping[str, Any]) -> dict[str, Any]:
    """Give a contact's values as they are stored: hyphens of a telephone number are dropped."""
    phone = contact.get("personal_telephone_number")
    number = {"personal_telephone_number": phone.replace("-", "")} if isinstance(phone, str) else {}
    return {**contact, **number}


def _form(form: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in TEXTS:
        value = form.get(name)
        if not isinstance(value, str | None):
            yield f"form.{name}", "invalid_type"
        elif value and _has_control(value):
            yield f"form.{name}", "invalid_format"
    if not isinstance(form.get("validate_only", False), bool):
        yield "form.validate_only", "invalid_type"
    url = form.get("page_url")
    if isinstance(url, str) and url and not url.startswith(("http://", "https://")):
        yield "form.page_url", "invalid_format"


def _contact(contact: Any, static: tuple[str, ...], custom: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if not is_object(contact):
        yield "contact", "required"
        return
    if all(_is_blank(contact.get(name)) for name in _NAMES):
        yield "contact", "required"
    for name, value in contact.items():
        if name == "custom_fields":
            yield from _custom(value, custom)
        elif name == "group_names":
            if not _is_array(value) or not all(isinstance(one, str) and not _has_control(one) for one in value):
                yield "contact.group_names", "invalid_type"
        elif name not in static:
            yield f"contact.{name}", "unknown_field"
        elif not isinstance(value, str | None):
            yield f"contact.{name}", "invalid_type"
        elif value and not _formed(name, value):
            yield f"contact.{name}", "invalid_format"


def _is_blank(value: Any) -> bool:
    # Nobody is known by a name of blanks, be they half-width or full-width.
    return not (value.strip() if isinstance(value, str) else value)


def _custom(given: Any, known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if not is_object(given):
        yield "contact.custom_fields", "invalid_type"
        return
    for code, value in given.items():
        if code not in known:
            yield f"contact.custom_fields.{code}", "unknown_field"
        elif not isinstance(value, str | None):
            yield f"contact.custom_fields.{code}", "invalid_type"
        elif value and _has_control(value):
            yield f"contact.custom_fields.{code}", "invalid_format"


def _formed(name: str, value: str) -> bool:
    if name.endswith("email"):
        return _EMAIL.fullmatch(value) is not None and _DOMAIN.fullmatch(value.partition("@")[2]) is not None
    if name.endswith("telephone_number"):
        # Full-width digits and brackets are refused, half-width hyphens are dropped.
        return _PHONE.fullmatch(value.replace("-", "")) is not None
    return not _has_control(value)


def _has_control(value: str) -> bool:
    return any(unicodedata.category(sign) == "Cc" and sign not in "\n\r\t" for sign in value)
