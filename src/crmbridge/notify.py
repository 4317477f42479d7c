"""Notifiers: who is told that a record is in trouble, and how.

`Mail` sends one message for a notice through a mail server; `Collecting` keeps notices, for tests.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final, Literal

import attrs

from .credentials import Secret
from .drive import SystemClock
from .errors import NotAllowed, SettingsError, Unreachable
from .flow import Flow, call
from .protocols import Clock, Notice
from .wording import Language, say

__all__ = ["Collecting", "Mail", "Smtp", "mail_address"]

_SYSTEM: Final = "mail"

_WAYS: Final = ("starttls", "tls", "none")

_FRAME: Final[dict[Language, str]] = {
    "en": (
        "{pipeline}: a record could not be carried over.\n\nRecord: {record}\nReason: {reason}\n\n"
        "Please check the settings. The record waits and is not lost; send it again once the cause is gone.\n"
    ),
    "ja": (
        "{pipeline}: データを連携できませんでした。\n\n対象: {record}\n理由: {reason}\n\n"
        "設定をご確認ください。データは保留されており、失われていません。原因の解消後に再送してください。\n"
    ),
}
_SUBJECT: Final[dict[Language, str]] = {
    "en": "[crmbridge] a record could not be carried over",
    "ja": "【crmbridge】データを連携できませんでした",
}


def mail_address(text: str) -> str:
    """Take an e-mail address as a mail server does; raises `SettingsError` for what is none, without quoting it."""
    with suppress(HeaderParseError, ValueError, IndexError):
        address = Address(addr_spec=text)
        if address.username and address.domain and text.isascii() and text.isprintable() and " " not in text:
            return text
    raise SettingsError("a mail address must have the form name@domain, in ASCII")


def _addresses(texts: Sequence[str]) -> tuple[str, ...]:
    if isinstance(texts, str):
        raise SettingsError("to: give a list of mail addresses")
    found = tuple(dict.fromkeys(mail_address(text) for text in texts))
    if not found:
        raise SettingsError("to: name at least one mail address")
    return found


def _secret(text: str | Secret) -> Secret:
    return text if isinstance(text, Secret) else Secret(text)


def _kept_secret(_of: object, _field: object, how: str) -> None:
    if how not in _WAYS:
        # Another word would leave the connection, and the password with it, in clear.
        raise SettingsError(f"security: one of {', '.join(_WAYS)}")


@attrs.frozen
class Smtp:
    """A mail server: its host, how it is entered and how the connection is kept secret.

    `starttls`, the default, refuses to go on where the server does not offer it; `tls` is encrypted from the first
    byte, mostly on *port* 465 in place of 587; with `none` nothing is encrypted, a password included. Without a user
    nobody signs in. Raises `SettingsError` for any other word. *context* says which authorities are trusted; by default
    those of the system.
    """

    host: str
    port: int = 587
    user: str = ""
    password: Secret = attrs.field(default=Secret(""), converter=_secret)
    security: Literal["starttls", "tls", "none"] = attrs.field(default="starttls", validator=_kept_secret)
    timeout: float = 30.0
    """Seconds that one step of the conversation may take."""
    context: ssl.SSLContext | None = attrs.field(default=None, repr=False, eq=False)

    def deliver(self, message: EmailMessage) -> None:
        """Hand over one message; it is sent as soon as the server takes it for one of its recipients.

        Raises `NotAllowed` where the server refuses the user, the sender or every recipient for good, and `Unreachable`
        where no mail was sent for any other reason: the server is away, may take it later, or does not offer what
        *security* asks for.
        """
        try:
            with self._connected() as server:
                # A server that takes the message for some and not for all has told somebody: that is what counts.
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise _trouble(error) from None

    def _connected(self) -> smtplib.SMTP:
        context = self.context or ssl.create_default_context()
        if self.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        try:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password.reveal())
        except BaseException:
            server.close()
            raise
        return server


@attrs.frozen
class Mail:
    """Sends a notice as a mail: one message for a notice, whose id follows from it, so that a repeat is known as one.

    *subject* and *language* are the message's, in Japanese unless they say otherwise; the body names the record and the
    reason, and no values of a person. Raises `SettingsError` for an address that is none, and for no recipient.
    """

    sender: str = attrs.field(converter=mail_address, kw_only=True)
    to: tuple[str, ...] = attrs.field(converter=_addresses, kw_only=True)
    server: Smtp = attrs.field(kw_only=True)
    subject: str = attrs.field(default="", kw_only=True)
    language: Language = attrs.field(default="ja", kw_only=True)
    clock: Clock = attrs.field(factory=SystemClock, kw_only=True, repr=False, eq=False)

    def send(self, notice: Notice) -> Flow[None]:
        """Send one notice; raises as `Smtp.deliver` does."""
        yield from call(self.server.deliver, self.message(notice))

    def message(self, notice: Notice) -> EmailMessage:
        """Write the message about a notice, its subject encoded as MIME asks for."""
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        message["To"] = ", ".join(self.to)
        message["Subject"] = _one_line(self.subject) or _SUBJECT[self.language]
        message["Date"] = format_datetime(self.clock.now())
        mark = hashlib.sha256(notice.key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        message["Message-ID"] = f"<{mark}@{self.sender.rpartition('@')[2]}>"
        # A mail that answers itself would come back to the one who sent it.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(
            _FRAME[self.language].format(
                pipeline=_one_line(notice.pipeline) or "crmbridge",
                record=_one_line(str(notice.ref)),
                reason=_one_line(say(notice.because, self.language)),
            )
        )
        return message


class Collecting:
    """Keeps the notices that it is given, for tests."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    def send(self, notice: Notice) -> Flow[None]:
        """Keep one notice."""
        yield from call(self.notices.append, notice)


def _trouble(error: Exception) -> NotAllowed | Unreachable:
    """Say whose turn it is; what a mail server says may quote addresses and is not repeated."""
    status = getattr(error, "smtp_code", None)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        status = max((code for code, _ in error.recipients.values()), default=None)
    if isinstance(status, int) and 500 <= status < 600:
        return NotAllowed(_SYSTEM, "the mail server refuses the user, the sender or the recipients", status=status)
    known = status if isinstance(status, int) and status > 0 else None
    return Unreachable(_SYSTEM, f"no mail was sent: {type(error).__name__}", status=known, may_have_arrived=True)


def _one_line(text: str) -> str:
    """Keep a name from breaking a header or the line, and a broken one from breaking the message."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in whole).strip()
