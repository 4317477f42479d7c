"""Kengaku Cloud → Digima: a failure reaches the administrators' mail boxes, through a real mail server."""

from __future__ import annotations

import email.policy
from email.parser import BytesParser

import pytest

from crmbridge.blueprints import kengaku_digima as blueprint
from crmbridge.notify import Smtp

from .conftest import BASE, QUESTION

controller = pytest.importorskip("aiosmtpd.controller", reason="install aiosmtpd")

SUBJECT = "【Digima連携】顧客情報の送信に失敗しました"


class OnFreePort(controller.Controller):
    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Boxes:
    """What was delivered, by recipient; *full* ones take nothing for now."""

    def __init__(self):
        self.mails = {}
        self.full = False

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - the server's name for it
        if self.full:
            return "452 later"
        message = BytesParser(policy=email.policy.default).parsebytes(envelope.content)
        for address in envelope.rcpt_tos:
            self.mails.setdefault(address, []).append(message)
        return "250 OK"


@pytest.fixture
def boxes():
    return Boxes()


@pytest.fixture
def post(world, boxes):
    """Give what builds the pipeline with a mail server behind it."""
    server = OnFreePort(boxes, hostname="127.0.0.1", port=0)
    server.start()
    smtp = Smtp("127.0.0.1", server.port, security="none", timeout=5)

    def build():
        settings = world.settings
        ends = settings.kengaku(world.kengaku.secret), settings.digima(base_url=BASE)
        mail = settings.mail(smtp, clock=world.clock)
        return blueprint.build(*ends, settings, store=world.store, notifiers=[mail]).using(world.driver())

    try:
        yield build
    finally:
        server.stop()


@pytest.mark.requirement("DIGIMA-18")
def test_a_failure_is_one_mail_with_the_vendors_subject_from_our_own_sender_to_every_administrator(world, boxes, post):
    world.changes["administrators"] = ("admin@acme.test", "boss@acme.test")
    world.digima.remove("custom_field", "1")
    ref = world.register(answers={QUESTION: "新築"})
    world.clock.advance(1)
    world.deliver(post())
    for _ in range(3):
        post().drain()
        world.clock.advance(3600)
    assert sorted(boxes.mails) == ["admin@acme.test", "boss@acme.test"]
    [message] = boxes.mails["boss@acme.test"]
    assert (message["Subject"], message["From"]) == (SUBJECT, "crmbridge@acme.test")
    assert str(ref) in message.get_content()
    assert "contact.custom_fields.plan_contents" in message.get_content()
    assert "新築" not in message.get_content()
    assert "kim1@x.test" not in message.get_content()


def test_a_mail_that_no_server_takes_now_is_sent_by_a_later_run(world, boxes, post):
    boxes.full = True
    world.digima.remove("custom_field", "1")
    world.register(answers={QUESTION: "新築"})
    world.clock.advance(1)
    world.deliver(post())
    post().drain()
    assert boxes.mails == {}
    boxes.full = False
    post().drain()
    post().drain()
    assert len(boxes.mails["admin@acme.test"]) == 1
