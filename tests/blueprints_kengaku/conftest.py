"""A tenant of Kengaku Cloud and a Digima account that its entries go to, in one process or on ports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from crmbridge.blueprints import kengaku_digima as blueprint
from crmbridge.blueprints.kengaku_digima import CustomField, FormBinding, Settings, WebForm
from crmbridge.model import Delivery, Disposition, RecordRef
from crmbridge.notify import Collecting
from crmbridge.pipeline import Pipeline
from crmbridge.report import Report
from crmbridge.roles import StateStore
from crmbridge.stores import MemoryStore
from crmbridge.testing.fakes.digima import FakeDigima
from crmbridge.testing.fakes.kengaku import FakeKengaku, Kind
from crmbridge.testing.sim import ManualClock, SimDriver

BASE = "https://form.digima.com"
QUESTION = "ご計画内容について"
NOW = dt.datetime(2026, 11, 21, 9, 15, tzinfo=dt.UTC)
SOURCES: dict[Kind, str] = {
    "reservation": "event-1",
    "inquiry": "inquiry-form-1",
    "document_request": "document-request-form-1",
}


@attrs.define(slots=False)
class World:
    """Both vendors, arranged as the screens of both say, and the pipeline between them."""

    clock: ManualClock = attrs.field(factory=lambda: ManualClock(NOW))
    store: StateStore = attrs.field(factory=MemoryStore)
    told: Collecting = attrs.field(factory=Collecting)
    changes: dict[str, Any] = attrs.field(factory=dict)
    seen: int = 0

    def __attrs_post_init__(self) -> None:
        self.kengaku = FakeKengaku(now=self.clock.now)
        self.digima = FakeDigima(now=self.clock.now)
        for name in ("来場予約", "お問い合わせ", "資料請求"):
            self.digima.put("form", name=name)
        self.digima.put("custom_field", label=QUESTION, code="plan_contents", type="ロングテキスト")
        self.kengaku.put("field", label=QUESTION, code="plan_contents")
        self.kengaku.put("field", label="社内メモ")
        self.kengaku.put("event", name="完成見学会")
        self.kengaku.put("inquiry_form", name="お問い合わせ")
        self.kengaku.put("document_request_form", name="資料請求")

    @property
    def settings(self) -> Settings:
        """Give what a person would enter, with what this test changes."""
        forms = [WebForm(name, self.digima.form_code(name)) for name in ("来場予約", "お問い合わせ", "資料請求")]
        given: dict[str, Any] = {
            "account_code": self.digima.account_code,
            "forms": tuple(forms),
            "events": {"event-1": "来場予約"},
            "inquiry_forms": {"inquiry-form-1": FormBinding("お問い合わせ")},
            "document_request_forms": {"document-request-form-1": FormBinding("資料請求")},
            "administrators": ("admin@acme.test",),
            "custom_fields": (CustomField("plan_contents", "ロングテキスト", QUESTION),),
            "failure_sender": "crmbridge@acme.test",
        }
        return Settings(**(given | self.changes))

    def pipeline(self, driver: Any = None, settings: Settings | None = None) -> Pipeline:
        """Build the blueprint between both."""
        made = settings or self.settings
        left, right = made.kengaku(self.kengaku.secret), made.digima(base_url=BASE)
        built = blueprint.build(left, right, made, store=self.store, notifiers=[self.told])
        return built.using(driver or self.driver())

    def driver(self, **how: Any) -> SimDriver:
        """Perform flows in virtual time, without a socket."""
        return SimDriver(clock=self.clock, transports={BASE: self.digima.transport()}, store=self.store, **how)

    def register(self, kind: Kind = "reservation", source: str | None = None, **entered: Any) -> RecordRef:
        """Let a visitor enter something."""
        self.seen += 1
        given = {"email": f"kim{self.seen}@x.test", "last_name": "金"} | entered
        return RecordRef("kengaku", kind, self.kengaku.register(kind, source or SOURCES[kind], **given))

    def deliver(self, pipeline: Pipeline | None = None, **how: Any) -> int:
        """Let Kengaku Cloud send what it has not sent yet; tells how much of it was new."""
        through = pipeline or self.pipeline()
        how.setdefault("by", self.settings.intake)
        return sum(through.receive(delivery) for delivery in self.kengaku.deliveries(**how))

    def run(self, after: float = 1.0, **how: Any) -> Report:
        """Deliver, and let the pipeline do what is due."""
        self.clock.advance(after)
        pipeline = self.pipeline()
        self.deliver(pipeline, **how)
        return pipeline.drain()

    @property
    def posts(self) -> list[dict[str, Any]]:
        """Give the inquiries that were registered, each with its contact."""
        contacts = {contact["id"]: contact for contact in self.digima.rows("contact")}
        return [row | {"contact": contacts[row["contact"]]} for row in self.digima.rows("inquiry")]

    def parked(self) -> dict[RecordRef, str]:
        """Tell what is parked, and by which reason."""
        rows = self.store.quarantine.rows("kengaku-digima", None)
        return {row.ref: str(row.because.code) for row in rows if row.because is not None}


@pytest.fixture
def world() -> World:
    made = World()
    made.pipeline().enable()
    return made


@pytest.fixture
def anew() -> Callable[..., World]:
    def make(**changes: Any) -> World:
        made = World(changes=changes)
        made.pipeline().enable()
        return made

    return make


def counted(report: Report) -> dict[str, int]:
    return {str(ended): count for ended, count in report.counts.items() if count}


def delivery_of(world: World) -> Delivery:
    [delivery] = world.kengaku.deliveries()
    return delivery


def one(report: Report, disposition: Disposition) -> Any:
    [decision] = report.rows(disposition)
    return decision
