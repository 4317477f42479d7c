"""Refusals in the vendor's words (REST guide, "Status Codes and Error Responses")."""

from collections.abc import Iterable, Mapping
from typing import Any


class Refused(Exception):
    """A request or a record that the vendor would refuse.

    `malformed` marks what spoils a whole collection and not only one record of it. `allow` lists the methods that the
    address has.
    """

    def __init__(
        self,
        code: str,
        message: str,
        fields: tuple[str, ...] = (),
        *,
        status: int = 400,
        extra: Mapping[str, Any] | None = None,
        malformed: bool = False,
        allow: str = "",
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.fields = fields
        self.status = status
        self.extra: Mapping[str, Any] = extra or {}
        self.malformed = malformed
        self.headers: Mapping[str, str] = {"Allow": allow} if allow else {}

    def body(self) -> list[dict[str, Any]]:
        """Give the body that a single request gets."""
        entry: dict[str, Any] = {**self.extra, "message": self.message, "errorCode": self.code}
        if self.fields:
            entry["fields"] = list(self.fields)
        return [entry]

    def element(self) -> dict[str, Any]:
        """Give the element that a record of a collection gets."""
        error = {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}
        return {"success": False, "errors": [error]}


def not_found(message: str = "The requested resource does not exist") -> Refused:
    """Say that there is nothing under this address."""
    return Refused("NOT_FOUND", message, status=404)


def not_json(message: str) -> Refused:
    """Say that a body, or a value in it, is of the wrong JSON type."""
    return Refused("JSON_PARSER_ERROR", message, malformed=True)


def wrong_method(method: str, *methods: str) -> Refused:
    """Say that an address does not have this method, but these."""
    allowed = ",".join(("HEAD", *methods) if "GET" in methods else methods)
    text = f"HTTP Method '{method}' not allowed. Allowed are {allowed}"
    return Refused("METHOD_NOT_ALLOWED", text, status=405, allow=allowed)


def no_such_column(name: str, kind: str) -> Refused:
    """Say that a record names a field that its object does not have."""
    return Refused("INVALID_FIELD", f"No such column '{name}' on sobject of type {kind}")


def read_only(names: str) -> Refused:
    """Say that a record writes a field that cannot be written."""
    text = (
        f"Unable to create/update fields: {names}. Please check the security settings of this field"
        " and verify that it is read/write for your profile or permission set."
    )
    return Refused("INVALID_FIELD_FOR_INSERT_UPDATE", text, (names,))


def malformed_id(id: object, label: str = "") -> Refused:
    """Say that a text is no id, or an id of another object."""
    if label:
        return Refused("MALFORMED_ID", f"{label}: id value of incorrect type: {id}")
    return Refused("MALFORMED_ID", f"malformed id {id}")


def ambiguous(name: str, ids: Iterable[str]) -> Refused:
    """Say that the value of a field names more than one record."""
    text = f"{name}: more than one record found for external id field: [{', '.join(ids)}]"
    return Refused("DUPLICATE_EXTERNAL_ID", text, (name,))
