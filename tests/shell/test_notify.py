"""Mails about records in trouble, through a real mail server on loopback."""

from __future__ import annotations

import datetime as dt
import email.policy
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import pytest
import trustme

from crmbridge.credentials import Secret
from crmbridge.drive import Driver
from crmbridge.errors import NotAllowed, SettingsError, Unreachable
from crmbridge.model import RecordRef
from crmbridge.notify import Collecting, Mail, Smtp, mail_address
from crmbridge.protocols import Notice
from crmbridge.reasons import Code, because
from crmbridge.testing.sim import ManualClock

controller = pytest.importorskip("aiosmtpd.controller", reason="install aiosmtpd")
smtp = pytest.importorskip("aiosmtpd.smtp", reason="install aiosmtpd")

SUBJECT = "【Digima連携】顧客情報の送信に失敗しました"
REFUSED = because(Code.REFUSED_BY_SYSTEM, system="digima", code="invalid_format", field="contact.email")
NOTICE = Notice("key-1", RecordRef("kengaku", "reservation", "reservation-1"), REFUSED, "kengaku-digima")


class Inbox:
    """What a mail server was handed."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.to: list[list[str]] = []
        self.senders: list[str] = []
        self.refuses: dict[str, str] = {}

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - the server's name for it
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the server's name for it
        self.raw.append(envelope.content)
        self.to.append(list(envelope.rcpt_tos))
        self.senders.append(envelope.mail_from)
        return "250 OK"

    @property
    def messages(self) -> list[EmailMessage]:
        parser = BytesParser(policy=email.policy.default)
        return [parser.parsebytes(raw) for raw in self.raw]  # type: ignore[misc]


class Login:
    def __call__(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        good = getattr(data, "login", b"") == b"crmbridge" and getattr(data, "password", b"") == b"open-sesame"
        return smtp.AuthResult(success=good, handled=good)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def port(inbox: Inbox) -> Iterator[int]:
    yield from serving(inbox)


def serving(inbox: Inbox, **how: Any) -> Iterator[int]:
    class OnFreePort(controller.Controller):  # type: ignore[name-defined,misc]
        def _trigger_server(self) -> None:
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    server = OnFreePort(inbox, hostname="127.0.0.1", port=0, **how)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


def mail(port: int, **how: Any) -> Mail:
    given: dict[str, Any] = {
        "sender": "crmbridge@acme.test",
        "to": ["a@acme.test", "b@acme.test"],
        "server": Smtp("127.0.0.1", port, security="none", timeout=5),
        "subject": SUBJECT,
        "clock": ManualClock(dt.datetime(2026, 11, 21, 9, 15, tzinfo=dt.UTC)),
    }
    return Mail(**(given | how))


def sent(one: Mail, notice: Notice = NOTICE) -> None:
    with Driver(clock=ManualClock()) as driver:
        driver.run(one.send(notice))


def test_a_notice_becomes_one_mail_to_all_who_are_told(inbox: Inbox, port: int) -> None:
    sent(mail(port))
    [message] = inbox.messages
    assert message["Subject"] == SUBJECT
    assert (message["From"], message["To"]) == ("crmbridge@acme.test", "a@acme.test, b@acme.test")
    assert inbox.to == [["a@acme.test", "b@acme.test"]]
    assert inbox.senders == ["crmbridge@acme.test"]
    assert message["Date"] == "Sat, 21 Nov 2026 09:15:00 +0000"


def test_a_japanese_subject_and_body_are_encoded_so_that_every_server_carries_them(inbox: Inbox, port: int) -> None:
    sent(mail(port))
    assert inbox.raw[0].isascii()
    assert b"=?utf-8?" in inbox.raw[0]
    text = inbox.messages[0].get_content()
    assert "設定をご確認ください" in text
    assert "kengaku:reservation/reservation-1" in text
    assert "contact.email" in text


def test_the_other_language_has_its_own_words(inbox: Inbox, port: int) -> None:
    sent(mail(port, language="en", subject=""))
    message = inbox.messages[0]
    assert message["Subject"] == "[crmbridge] a record could not be carried over"
    assert "Please check the settings" in message.get_content()


def test_the_same_notice_has_the_same_message_id_and_another_has_another(inbox: Inbox, port: int) -> None:
    for notice in (NOTICE, NOTICE, Notice("key-2", NOTICE.ref, NOTICE.because)):
        sent(mail(port), notice)
    first, again, other = (message["Message-ID"] for message in inbox.messages)
    assert first == again
    assert first != other
    assert first.endswith("@acme.test>")


@pytest.mark.parametrize(
    "name", ["x\r\nBcc: thief@x.test", "x\nSubject: y", "x\u2028y", "\ud800", "\x00\x1b[31m", "{reason}"]
)
def test_a_hostile_name_cannot_break_the_message(inbox: Inbox, port: int, name: str) -> None:
    sent(mail(port, subject=f"s {name}"), Notice("k", RecordRef("kengaku", "inquiry", name), REFUSED, name))
    [message] = inbox.messages
    assert message["Bcc"] is None
    assert len(message.get_all("Subject") or []) == 1
    assert inbox.to == [["a@acme.test", "b@acme.test"]]


def test_a_server_that_takes_it_for_one_recipient_has_taken_it(inbox: Inbox, port: int) -> None:
    inbox.refuses = {"a@acme.test": "550 unknown"}
    sent(mail(port))
    assert inbox.to == [["b@acme.test"]]


@pytest.mark.parametrize(("answer", "error"), [("550 unknown", NotAllowed), ("451 later", Unreachable)])
def test_a_server_that_takes_it_for_nobody_is_an_error_and_quotes_no_address(
    inbox: Inbox, port: int, answer: str, error: type[Exception]
) -> None:
    inbox.refuses = {"a@acme.test": answer, "b@acme.test": answer}
    with pytest.raises(error) as raised:
        sent(mail(port))
    assert "acme" not in str(raised.value)


def test_a_server_that_is_not_there_is_an_error_to_try_again_after() -> None:
    with pytest.raises(Unreachable):
        sent(mail(1))


class TestSecurity:
    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def guarded(self, inbox: Inbox, authority: trustme.CA) -> Iterator[int]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        how = {"authenticator": Login(), "auth_required": True, "require_starttls": True, "tls_context": context}
        yield from serving(inbox, **how)

    def trusting(self, authority: trustme.CA) -> ssl.SSLContext:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        return context

    def server(self, port: int, **how: Any) -> Smtp:
        given: dict[str, Any] = {"user": "crmbridge", "password": "open-sesame", "timeout": 5}
        return Smtp("localhost", port, **(given | how))

    def test_a_user_signs_in_over_an_encrypted_connection(
        self, inbox: Inbox, guarded: int, authority: trustme.CA
    ) -> None:
        sent(mail(guarded, server=self.server(guarded, context=self.trusting(authority))))
        assert len(inbox.raw) == 1

    def test_a_wrong_password_is_the_operators_turn_and_is_not_shown(self, guarded: int, authority: trustme.CA) -> None:
        server = self.server(guarded, password="open-barley", context=self.trusting(authority))
        with pytest.raises(NotAllowed) as raised:
            sent(mail(guarded, server=server))
        assert "barley" not in str(raised.value)
        assert "barley" not in repr(server)

    def test_a_server_whose_certificate_is_not_trusted_gets_nothing(self, inbox: Inbox, guarded: int) -> None:
        with pytest.raises(Unreachable):
            sent(mail(guarded, server=self.server(guarded)))
        assert inbox.raw == []

    def test_a_server_that_does_not_encrypt_gets_nothing_where_that_is_asked_for(self, inbox: Inbox, port: int) -> None:
        with pytest.raises(Unreachable):
            sent(mail(port, server=Smtp("127.0.0.1", port, timeout=5)))
        assert inbox.raw == []


@pytest.mark.parametrize(
    "text", ["", "a", "a@", "@b", "a b@c", "a@b\r\nBcc: c@d", "a@b, c@d", "あ@b.test", "A <a@b.test>"]
)
def test_what_is_no_address_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(SettingsError, match="name@domain"):
        mail_address(text)


def test_a_mail_needs_a_sender_and_at_least_one_recipient() -> None:
    with pytest.raises(SettingsError, match="at least one"):
        mail(25, to=[])
    with pytest.raises(SettingsError, match="list"):
        mail(25, to="a@acme.test")
    with pytest.raises(TypeError):
        Mail(to=["a@acme.test"], server=Smtp("localhost"))  # type: ignore[call-arg]


def test_notices_can_be_collected_instead() -> None:
    collecting = Collecting()
    with Driver(clock=ManualClock()) as driver:
        driver.run(collecting.send(NOTICE))
    assert collecting.notices == [NOTICE]


def test_a_password_is_a_secret_however_it_was_given() -> None:
    assert Smtp("h", password="x") == Smtp("h", password=Secret("x"))


@pytest.mark.parametrize("word", ["ssl", "STARTTLS", "", None])
def test_a_word_that_names_no_way_to_keep_a_connection_secret_is_refused_before_anybody_signs_in(word):
    with pytest.raises(SettingsError, match="security: one of starttls, tls, none"):
        Smtp("mail.acme.test", user="kim", password="x", security=word)
