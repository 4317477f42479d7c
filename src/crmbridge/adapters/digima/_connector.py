"""The connector: flows that post to the web forms of one Digima account."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from ... import _stated
from ...credentials import ApiKey, Secret
from ...errors import CapabilityError, NotAllowed, UsageError
from ...flow import Account, Flow, Json, Repeat, Request, done, send
from ...kit import settle
from ...model import (
    Action,
    Applied,
    Capabilities,
    Create,
    CreateClass,
    Outcome,
    RecordRef,
    Rejected,
    Rows,
    Schema,
    Values,
    is_blank,
)
from ...protocols import Question
from ...reasons import Code, Reason, because
from ._fields import KIND, CustomField, described
from ._wire import body_of, refusals

_PATH: Final = "/v2/submit"
_TIMEOUT: Final = 30.0
"""Vendor: its own client gives up after 30 seconds."""


def _secrets(codes: Mapping[str, str | Secret]) -> dict[str, Secret]:
    return {name: _secret(code) for name, code in codes.items()}


def _secret(code: str | Secret) -> Secret:
    return code if isinstance(code, Secret) else Secret(code)


@attrs.frozen
class Digima:
    """One account of Digima, entered by its code and by those of its web forms.

    *forms* are the codes of the web forms by name. *address_field* is the code of「自宅住所1」, which no public page
    confirms; *static_fields* are further codes of a contact's own fields.
    """

    account: Account
    account_code: Secret = attrs.field(converter=_secret)
    forms: Mapping[str, Secret] = attrs.field(converter=_secrets)
    custom_fields: tuple[CustomField, ...] = attrs.field(default=(), kw_only=True)
    static_fields: tuple[str, ...] = attrs.field(default=(), kw_only=True, validator=_stated.several)
    address_field: str = attrs.field(default="home_address_1", kw_only=True)

    @classmethod
    def connect(
        cls,
        account_code: str | Secret,
        forms: Mapping[str, str | Secret],
        *,
        base_url: str = "https://form.digima.com",
        system: str = "digima",
        language: str = "ja",
        custom_fields: Iterable[CustomField] = (),
        static_fields: Iterable[str] = (),
        address_field: str = "home_address_1",
    ) -> Digima:
        """Enter an account; *language* is that of its error messages: `ja`, or `jp` as the vendor's help has it."""
        account = Account(system, base_url.rstrip("/"), headers={"Accept-Language": language}, timeout=_TIMEOUT)
        return cls(
            account,
            account_code,
            forms,
            custom_fields=tuple(custom_fields),
            static_fields=_stated.texts("connect", "static_fields", static_fields),
            address_field=address_field,
        )

    @property
    def system(self) -> str:
        """Name the account, as reasons and reports will."""
        return self.account.system

    def capabilities(self, kind: str) -> Capabilities:
        """Tell what is promised: a submission is made once, and nothing of it can be read back (class C)."""
        self._known(kind)
        return Capabilities(creates=CreateClass.C, batch=1, index_lag=dt.timedelta(0))

    def schema(self, kind: str) -> Flow[Schema]:
        """Describe a submission; the vendor tells nothing, so this is what was given and what documents confirm."""
        self._known(kind)
        return done(self._described())

    def _described(self) -> Schema:
        static = dict.fromkeys((self.address_field, *self.static_fields))
        return described(self.forms, static, self.custom_fields)

    def find(self, questions: Sequence[Question], fields: Sequence[str]) -> Flow[Sequence[Rows]]:
        """Find nothing: a submission cannot be searched for."""
        return done([Rows.none(self.system, question.kind, tuple(fields)) for question in questions])

    def apply(self, batch: Sequence[Action]) -> Flow[Sequence[Outcome]]:
        """Post submissions, one request each; a lost answer leaves its own submission uncertain and no other.

        A code that is wrong, or an address that the account does not admit, is the trouble of this record: each form
        has a code of its own, and a person must hear of it (DIGIMA-18).
        """
        outcomes: list[Outcome] = []
        for action in batch:
            try:
                outcomes += yield from settle([action], self._posted(action))
            except NotAllowed as error:
                outcomes.append(
                    Rejected(
                        action, because(Code.REFUSED_BY_SYSTEM, system=self.system, code=error.code or "unauthorized")
                    )
                )
        return outcomes

    def verify(self, form: str, contact: Values) -> Flow[Sequence[Reason]]:
        """Let Digima check a contact's values, by their codes, without registering anything; empty: it would take them.

        Tells whether account code and form code are right, too: raises `NotAllowed` where they are not, or where the
        account does not allow this computer's address.
        """
        values = {"form": form, **{f"contact.{code}": value for code, value in contact.items()}}
        response = yield from send(self._request(values, validate_only=True, repeat=Repeat.SAFE))
        return refusals(self.account, response)

    # -- one post --------------------------------------------------------------------------

    def _posted(self, action: Action) -> Flow[Sequence[Outcome]]:
        if not isinstance(action, Create):
            raise CapabilityError(f"{self.system}: a submission is made and never changed")
        unfit = self._unfit(action.values)
        if unfit is not None:
            return [Rejected(action, unfit)]
        # Sent again, it would be a second inquiry.
        response = yield from send(self._request(action.values, validate_only=False, repeat=Repeat.UNSAFE))
        refused = refusals(self.account, response)
        if refused:
            return [Rejected(action, refused[0])]
        # Vendor: nothing tells the inquiry's own id; the key of the action stands for it.
        return [Applied(action, RecordRef(self.system, KIND, action.key))]

    def _unfit(self, values: Values) -> Reason | None:
        """Say why a submission cannot be sent: no form of ours, an unknown field, a value that is no text."""
        if values.get("form") not in self.forms:
            code = Code.REQUIRED if is_blank(values.get("form")) else Code.NOT_AN_OPTION
            return Reason(code, {"system": self.system, "field": "form"})
        known = self._described().fields
        for name, value in values.items():
            if name not in known:
                return Reason(Code.UNKNOWN_FIELD, {"system": self.system, "field": name})
            if not is_blank(value) and not isinstance(value, str | tuple):
                return Reason(Code.WRONG_TYPE, {"system": self.system, "field": name, "expected": "text"})
        return None

    def _request(self, values: Values, *, validate_only: bool, repeat: Repeat) -> Request:
        name = values.get("form")
        code = self.forms.get(name) if isinstance(name, str) else None
        if code is None:
            raise UsageError(f"{self.system}: there is no such web form; there are {', '.join(self.forms)}")
        # Vendor: account code and form code in Base64, with no scheme word before them.
        entry = base64.b64encode(f"{self.account_code.reveal()}-{code.reveal()}".encode()).decode("ascii")
        account = attrs.evolve(self.account, credential=ApiKey("Authorization", Secret(entry)))
        body = Json(body_of(values, code.reveal(), validate_only=validate_only))
        return Request(account, "POST", _PATH, body=body, repeat=repeat)

    def _known(self, kind: str) -> None:
        if kind != KIND:
            raise UsageError(f"{self.system}: {kind!r} is no kind; there is {KIND}")
