"""Digima's web tracking on pages of two sites, in a real browser: from the first page to the inquiry's visits."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from html import escape

import httpx
import pytest

from crmbridge.adapters.digima import tracking_snippet
from crmbridge.blueprints import kengaku_digima as blueprint
from crmbridge.blueprints.kengaku_digima import Settings, WebForm
from crmbridge.drive import Driver
from crmbridge.stores import MemoryStore
from crmbridge.testing.fakes.digima import FakeDigima
from crmbridge.testing.fakes.kengaku import FakeKengaku
from crmbridge.testing.server import FakeServer

requirement = pytest.mark.requirement

COMPANY, EVENTS, TRACKER = "www.koumuten.test", "www.ie-miru.test", "tracking.digima.test"


class Company(FakeServer):
    """A builder's own site, with a link to the page of an event."""

    def __init__(self, head, link):
        super().__init__()
        self.head, self.link = head, link

    def handle(self, request):
        page = f"<!DOCTYPE html><title>工務店</title>{self.head}<a id=event href='{escape(self.link)}'>見学会</a>"
        return httpx.Response(200, html=page)


class Sites:
    """Both sites and Digima on ports; the browser knows them by their host names."""

    def __init__(self, browser, stack):
        self.browser = browser
        self.digima, self.kengaku = FakeDigima(), FakeKengaku()
        self.digima.put("form", name="来場予約")
        self.event = self.kengaku.put("event", name="完成見学会")
        self.api = stack.enter_context(self.digima.serve())
        self.events = f"http://{EVENTS}:{port_of(stack.enter_context(self.kengaku.serve()))}/event/{self.event}"
        script = f"http://{TRACKER}:{port_of(self.api)}/tracking/{self.digima.account_code}.js"
        self.settings = Settings(
            account_code=self.digima.account_code,
            forms=(WebForm("来場予約", self.digima.form_code("来場予約")),),
            events={self.event: "来場予約"},
            tracking_url=f'<script async src="{script}"></script>',
        )
        company = Company(self.settings.snippet, self.events)
        self.company = f"http://{COMPANY}:{port_of(stack.enter_context(company.serve()))}/"
        self.kengaku.head = self.settings.snippet
        self.store = MemoryStore()
        browser.set_page_load_timeout(30)
        browser.get("about:blank")
        browser.execute_cdp_cmd("Network.clearBrowserCookies", {})

    def tracked(self, *domains, across=True):
        """Add domains at the screen for web tracking."""
        for domain in domains:
            self.digima.put("tracking_domain", domain=domain, across=across, everybody=True)

    def visit(self, url, expected=None):
        """Go to a page; wait for as many visits as Digima should then know."""
        self.browser.get(url)
        self.settled(expected)

    def follow(self, expected=None):
        """Click the link from the builder's site to the event."""
        self.browser.find_element("id", "event").click()
        wait(lambda: EVENTS in self.browser.current_url)
        self.settled(expected)

    def settled(self, expected):
        if expected is None:
            time.sleep(0.5)  # what should not come is given the time to come
        else:
            wait(lambda: len(self.digima.rows("visit")) == expected)

    def book(self):
        """Fill in the form on the page, send it, and let the entry go its way; gives the inquiry."""
        self.browser.find_element("name", "email").send_keys("kim@x.test")
        self.browser.find_element("tag name", "button").click()
        wait(lambda: self.browser.find_elements("id", "thanks"))
        source, sink = self.settings.kengaku(self.kengaku.secret), self.settings.digima(base_url=self.api)
        with Driver(self.store) as driver:
            pipeline = blueprint.build(source, sink, self.settings, store=self.store).using(driver)
            for delivery in self.kengaku.deliveries():
                pipeline.receive(delivery)
            pipeline.drain()
        [inquiry] = self.digima.rows("inquiry")
        return inquiry

    def enable(self):
        with Driver(self.store) as driver:
            source, sink = self.settings.kengaku(self.kengaku.secret), self.settings.digima(base_url=self.api)
            blueprint.build(source, sink, self.settings, store=self.store).using(driver).enable()

    def visits(self, inquiry):
        return [url.partition("//")[2].partition(":")[0] for url in self.digima.visits_of(inquiry["id"])]


def port_of(base):
    return base.rpartition(":")[2]


def wait(true, seconds=10.0):
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not come true in time"
        time.sleep(0.05)


@pytest.fixture
def sites(browser):
    with ExitStack() as stack:
        made = Sites(browser, stack)
        made.enable()
        yield made


@requirement("DIGIMA-19", "DIGIMA-21", "DIGIMA-22")
def test_a_booking_on_a_page_with_the_snippet_is_tied_to_the_visit(sites):
    sites.tracked(EVENTS)
    sites.visit(sites.events, expected=1)
    cookie = sites.browser.get_cookie("dgm_bcn")["value"]
    inquiry = sites.book()
    assert inquiry["visit_cookie"] == cookie
    assert sites.visits(inquiry) == [EVENTS]


@requirement("DIGIMA-22")
def test_a_booking_on_a_page_without_the_snippet_is_tied_to_nothing(sites):
    sites.tracked(EVENTS)
    sites.kengaku.head = ""
    sites.visit(sites.events)
    inquiry = sites.book()
    assert "visit_cookie" not in inquiry
    assert sites.visits(inquiry) == []


@requirement("DIGIMA-19")
def test_a_booking_on_a_domain_that_was_not_added_is_tied_to_nothing(sites):
    sites.tracked(COMPANY)
    sites.visit(sites.events)
    assert sites.visits(sites.book()) == []


@requirement("DIGIMA-20")
def test_a_visitor_who_comes_from_the_builders_site_is_the_same_one_on_the_event_page(sites):
    sites.tracked(COMPANY, EVENTS)
    sites.visit(sites.company, expected=1)
    sites.follow(expected=2)
    assert sites.visits(sites.book()) == [COMPANY, EVENTS]


@requirement("DIGIMA-20")
def test_without_the_tick_for_several_domains_he_is_another_one(sites):
    sites.tracked(COMPANY, EVENTS, across=False)
    sites.visit(sites.company, expected=1)
    sites.follow(expected=2)
    assert sites.visits(sites.book()) == [EVENTS]


@requirement("DIGIMA-22")
def test_a_visitor_from_a_page_without_the_snippet_is_not_known_on_the_event_page(sites):
    sites.tracked(COMPANY, EVENTS)
    sites.kengaku.head = ""
    sites.visit(sites.company, expected=1)
    sites.follow()
    inquiry = sites.book()
    assert "visit_cookie" not in inquiry
    assert sites.visits(inquiry) == []


class TestASilentTracker:
    @pytest.fixture
    def silent(self):
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            yield f"http://{TRACKER}:{listening.getsockname()[1]}/t.js"

    @requirement("DIGIMA-22")
    def test_a_page_does_not_wait_for_the_script(self, sites, silent):
        sites.kengaku.head = tracking_snippet(silent)
        sites.browser.set_page_load_timeout(10)
        sites.browser.get(sites.events)
        assert sites.browser.find_element("tag name", "h1").text == "完成見学会"

    def test_a_tag_that_is_not_asynchronous_would_hold_the_page_up(self, sites, silent):
        from selenium.common.exceptions import TimeoutException

        sites.kengaku.head = tracking_snippet(silent).replace("async ", "")
        sites.browser.set_page_load_timeout(1)
        with pytest.raises(TimeoutException):
            sites.browser.get(sites.events)
