"""Entering a system: which headers a credential is, and how a token is fetched, kept and fetched again."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, assert_never, cast

import attrs

from ..credentials import (
    ApiKey,
    Basic,
    Bearer,
    ClientCredentials,
    PasswordGrant,
    Refresh,
    Secret,
    TokenCredential,
)
from ..errors import AdapterError, ContractBroken, NotAllowed, Unreachable
from ..flow import Account, Flow, Form, Repeat, Request, Response, call, send
from ..roles import Token, Tokens
from ._http import Entry

EARLY = 60.0
"""Seconds before its end that a token is renewed; half of its life where that is less."""

LONGEST_LIFE = 366 * 86_400.0
_TOKEN_BYTES = 64 * 1024
_TOKEN_SECONDS = 30.0
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_CODE = re.compile(r"[a-z][a-z_]{0,39}")


def plain_entry(credential: ApiKey | Basic | Bearer | None) -> Entry:
    """Make the headers of a credential that needs no token."""
    match credential:
        case None:
            return Entry()
        case Bearer(token):
            return bearer_entry(token)
        case ApiKey(header, key, also):
            return Entry({header.lower(): key.reveal()} | {name.lower(): more.reveal() for name, more in also.items()})
        case Basic(user, password):
            both = base64.b64encode(f"{user}:{password.reveal()}".encode()).decode("ascii")
            return Entry({"authorization": f"Basic {both}"})
        case _:
            assert_never(credential)


def bearer_entry(token: Secret) -> Entry:
    """Make the header that shows a token."""
    return Entry({"authorization": f"Bearer {token.reveal().strip()}"})


def token_key(account: Account, credential: TokenCredential) -> str:
    """Name a credential in the store of tokens, by everything that tells it from others but its secrets."""
    parts: list[Any] = [type(credential).__name__, credential.token_url, credential.client_id]
    match credential:
        case ClientCredentials():
            parts += [credential.scope, sorted(credential.extra.items())]
        case PasswordGrant():
            parts.append(credential.user)
        case Refresh():
            # One application enters many organisations: only the account's name tells their grants apart.
            parts.append(account.system)
        case _:
            assert_never(credential)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def usable(token: Token | None, now: dt.datetime) -> bool:
    """Say whether a token may still be shown."""
    return token is not None and (token.expires is None or now < token.expires)


def renewed(
    account: Account, credential: TokenCredential, tokens: Tokens, latest: Token | None, now: dt.datetime
) -> Flow[Token]:
    """Fetch a token and save it before anybody uses it.

    Raises `NotAllowed` with the system's own error code where it refuses.
    """
    given = latest.refresh if latest is not None else None
    response = yield from _ask(account, credential, given)
    if (
        isinstance(credential, Refresh)
        and given not in (None, credential.refresh_token)
        and 400 <= response.status < 500
    ):
        # What was rotated is worth nothing once a person has granted anew: then the configured one is right.
        given = None
        response = yield from _ask(account, credential, given)
    token = _token(response, credential, given, (latest.serial if latest is not None else 0) + 1, now)
    if token is None:
        raise _refusal(account, response)
    yield from call(tokens.save, token_key(account, credential), token)
    return token


def _refusal(account: Account, response: Response) -> AdapterError:
    if not 400 <= response.status < 500:
        return ContractBroken(account.system, "the token endpoint gives no token", status=response.status)
    return NotAllowed(
        account.system, "the token endpoint refuses the credential", status=response.status, code=_code(response)
    )


def _ask(account: Account, credential: TokenCredential, refresh: Secret | None) -> Flow[Response]:
    plain = attrs.evolve(
        account,
        credential=None,
        headers={},
        budgets={},
        max_bytes=_TOKEN_BYTES,
        timeout=min(account.timeout, _TOKEN_SECONDS),
    )
    request = Request(
        plain,
        "POST",
        credential.token_url,
        headers={"accept": "application/json"},
        body=Form(_fields(credential, refresh)),
        # A second token harms nobody, and without one nothing goes on.
        repeat=Repeat.SAFE,
        lane="token",
    )
    try:
        return (yield from send(request))
    except Unreachable as error:
        failed = error
    # The request that needs the token was not sent, whatever became of the request for the token.
    raise Unreachable(account.system, "no answer from the token endpoint", status=failed.status, may_have_arrived=False)


def _fields(credential: TokenCredential, refresh: Secret | None) -> dict[str, str]:
    fields = {"client_id": credential.client_id, "client_secret": credential.client_secret.reveal()}
    match credential:
        case ClientCredentials(scope=scope, extra=extra):
            return {"grant_type": "client_credentials", **fields, **({"scope": scope} if scope else {}), **extra}
        case Refresh():
            given = refresh or credential.refresh_token
            # Vendor: a public Salesforce application has no secret, and an empty one is refused.
            kept = fields if credential.client_secret else {"client_id": credential.client_id}
            return {"grant_type": "refresh_token", **kept, "refresh_token": given.reveal()}
        case PasswordGrant(user=user, password=password):
            return {"grant_type": "password", **fields, "username": user, "password": password.reveal()}
        case _:
            assert_never(credential)


def _token(
    response: Response, credential: TokenCredential, refresh: Secret | None, serial: int, now: dt.datetime
) -> Token | None:
    """Read a token out of an answer; None where there is none. Nothing is raised here, where the answer lies open."""
    body = _object(response)
    value, given = body.get("access_token"), body.get("refresh_token")
    if not 200 <= response.status < 300 or not isinstance(value, str) or not _TOKEN.fullmatch(value):
        return None
    rotated = Secret(given) if isinstance(given, str) and _TOKEN.fullmatch(given) else refresh
    # Vendor: Salesforce names no lifetime, since that is a setting of the organisation.
    life = _seconds(body.get("expires_in"), credential.lifetime)
    expires = now + dt.timedelta(seconds=life - min(EARLY, life / 2))
    return Token(Secret(value), rotated, expires, serial)


def _seconds(said: object, otherwise: float) -> float:
    try:
        seconds = float(said) if isinstance(said, (int, str, Decimal)) else otherwise
    except (ValueError, OverflowError):
        seconds = otherwise
    return min(seconds, LONGEST_LIFE) if seconds > 0 else otherwise


def _code(response: Response) -> str:
    """Give the system's error code; its description may repeat what we sent."""
    said = _object(response).get("error")
    return said if isinstance(said, str) and _CODE.fullmatch(said) else ""


def _object(response: Response) -> Mapping[str, Any]:
    body: object = response.body
    return cast("dict[str, Any]", body) if isinstance(body, dict) else {}


class DriverTokens:
    """Tokens of one driver, where no store keeps them."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._locks: dict[str, threading.Lock] = {}

    def get(self, credential: str) -> Token | None:
        """Give the latest token."""
        return self._tokens.get(credential)

    @contextmanager
    def lock(self, credential: str) -> Generator[Token | None]:
        """Be the only refresher in this driver; gives the latest token."""
        with self._locks.setdefault(credential, threading.Lock()):
            yield self._tokens.get(credential)

    def save(self, credential: str, token: Token) -> None:
        """Keep a token, as long as the driver lives."""
        self._tokens[credential] = token
