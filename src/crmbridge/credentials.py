"""How to enter a system, as values; the drivers perform them.

A `Secret` shows itself to nobody: no repr, no str, no pickle, no comparison that a log could print.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn, TypeAlias, final

import attrs


@final
class Secret:
    """Hold a secret text that is never printed by accident; `reveal()` is the only way out."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the secret text, for the one line that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "Secret(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(("Secret", self._text))

    def __bool__(self) -> bool:
        return bool(self._text)


def _secret(value: str | Secret) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def _secrets(values: Mapping[str, str | Secret]) -> dict[str, Secret]:
    return {name: _secret(value) for name, value in values.items()}


def _no_extra() -> dict[str, str]:
    return {}


@attrs.frozen
class Bearer:
    """Send a fixed token as `Authorization: Bearer`."""

    token: Secret = attrs.field(converter=_secret)


@attrs.frozen
class ApiKey:
    """Send a fixed key in a header of the system's own."""

    header: str
    key: Secret = attrs.field(converter=_secret)
    also: Mapping[str, Secret] = attrs.field(factory=lambda: dict[str, Secret](), converter=_secrets)
    """Further headers, where a system wants two keys."""


@attrs.frozen
class Basic:
    """Send a user name and a password as `Authorization: Basic`."""

    user: str
    password: Secret = attrs.field(converter=_secret)


@attrs.frozen
class ClientCredentials:
    """Fetch tokens by the OAuth 2.0 client-credentials flow, and again when one has expired.

    `token_url` is absolute; its host must be the account's own origin or among its `origins`.
    """

    token_url: str
    client_id: str
    client_secret: Secret = attrs.field(converter=_secret)
    scope: str = ""
    lifetime: float = 7200.0
    """Seconds that a token is taken to live where its answer names no `expires_in`."""
    extra: Mapping[str, str] = attrs.field(factory=_no_extra, repr=False)


@attrs.frozen
class Refresh:
    """Fetch tokens by an OAuth 2.0 refresh token; one that rotates is saved before the new token is used."""

    token_url: str
    client_id: str
    client_secret: Secret = attrs.field(converter=_secret)
    refresh_token: Secret = attrs.field(converter=_secret)
    lifetime: float = 7200.0
    """Seconds that a token is taken to live where its answer names no `expires_in`."""


@attrs.frozen
class PasswordGrant:
    """Fetch tokens by the OAuth 2.0 password flow, for organisations that still allow it."""

    token_url: str
    client_id: str
    client_secret: Secret = attrs.field(converter=_secret)
    user: str
    password: Secret = attrs.field(converter=_secret)
    lifetime: float = 7200.0
    """Seconds that a token is taken to live where its answer names no `expires_in`."""


TokenCredential: TypeAlias = "ClientCredentials | Refresh | PasswordGrant"
"""A credential whose token is fetched, kept in the store and fetched again."""

Credential: TypeAlias = "Bearer | ApiKey | Basic | TokenCredential"
"""How an account is entered."""
