"""A user's consent in the browser, and the code that comes of it (Salesforce Help, "OAuth 2.0 Web Server Flow")."""

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import attrs
import httpx

from crmbridge.testing.fakes.salesforce.desk import Reply
from crmbridge.testing.oauth import Denied, challenge

LIFE = timedelta(minutes=15)
"""How long a code can be exchanged, once."""


@attrs.frozen
class _Code:
    redirect: str
    challenge: str = attrs.field(repr=False)
    """Empty where the client sent none."""
    until: datetime


class Codes:
    """The codes that were given out for a consent."""

    def __init__(self, client: str, now: Callable[[], datetime], chance: random.Random) -> None:
        self._client = client
        self._now = now
        self._chance = chance
        self._given: dict[str, _Code] = {}

    def consent(self, asked: Mapping[str, str]) -> Reply:
        """Send the browser back with a code, as for a user who is signed in and agrees; raises Denied."""
        if asked.get("client_id") != self._client:
            raise Denied("invalid_client_id", "client identifier invalid")
        back = asked.get("redirect_uri", "")
        state = {"state": asked["state"]} if "state" in asked else {}
        if asked.get("response_type") != "code":
            error = Denied("unsupported_response_type", "response type not supported")
            return _sent_back(back, {**error.body, **state})
        code = f"aPrx{self._chance.getrandbits(256):064x}"
        self._given[code] = _Code(back, asked.get("code_challenge", ""), self._now() + LIFE)
        return _sent_back(back, {"code": code, **state})

    def redeem(self, form: Mapping[str, str]) -> None:
        """Take a code back from the client that it was given to; raises Denied."""
        code = form.get("code", "")
        found = self._given.get(code)
        if found is None:
            raise Denied("invalid_grant", "invalid authorization code")
        if self._now() >= found.until:
            raise Denied("invalid_grant", "expired authorization code")
        if form.get("redirect_uri") != found.redirect:
            raise Denied("redirect_uri_mismatch", "redirect_uri must match configuration")
        # Vendor: the challenge is always the SHA-256 of the verifier; there is no plain one.
        verifier = form.get("code_verifier", "")
        if (found.challenge or verifier) and challenge(verifier) != found.challenge.rstrip("="):
            raise Denied("invalid_grant", "invalid code verifier")
        self._given[code] = attrs.evolve(found, until=self._now())


def _sent_back(redirect: str, told: Mapping[str, str]) -> Reply:
    try:
        address = httpx.URL(redirect).copy_merge_params(told)
    except httpx.InvalidURL:
        address = httpx.URL()
    if not address.scheme:
        raise Denied("redirect_uri_mismatch", "redirect_uri must match configuration")
    return Reply(302, headers={"Location": str(address), "Content-Type": "text/html;charset=UTF-8"})
