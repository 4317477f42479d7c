"""Words, texts and numbers that an author states: what nobody knows is refused when it is said, and not when records suffer."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import pytest

from crmbridge import at, bundle, events, gates, key, level, linked, look_up, one_way, pair, plain, policies, two_way
from crmbridge.adapters.digima import Digima
from crmbridge.adapters.kengaku import Kengaku
from crmbridge.errors import UsageError
from crmbridge.flow import Account
from crmbridge.match import all_of, first_of, scored, weigh
from crmbridge.model import Capabilities, FieldSpec, FieldType, RecordRef
from crmbridge.notify import Collecting
from crmbridge.stores import MemoryStore
from crmbridge.testing import KindUnderTest
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.testing.fakes.digima import FakeDigima
from crmbridge.testing.tables import Field

MA, CRM = FakeConnector("ma", described("p")), FakeConnector("crm", described("Lead"), described("Contact"))
REF = RecordRef("ma", "p", "1")
HOUR = dt.timedelta(hours=1)
KEY = key("a", "A")


class Awaited:
    """A notifier that would have to be awaited."""

    async def send(self, notice):
        """Never comes to it."""


def people():
    return two_way("people", at(MA, "p"), at(CRM, "Lead", "Contact"))


def kept():
    return people().remember(MemoryStore())


def posts():
    return events("posts", at(MA, "p"), at(CRM, "Lead"))


def reports():
    return one_way("reports", at(MA, "p"), at(CRM, "Lead"))


REFUSED = [
    (lambda: at("crm", "Lead"), r"at\(a str\): give a connector"),
    (lambda: at(FakeConnector, "Lead"), r"at\(the class FakeConnector\): give a connector"),
    (
        lambda: at(CRM, ["Lead"]),
        r"at\(crm\): each kind is named by a text of its own, and not by a list; write at\(crm, 'Con",
    ),
    (lambda: at(CRM, "Lead", ""), r"at\(crm\): each kind .* not by ''"),
    (lambda: people().match("email"), r"match\(a str\): give levels, or one matcher"),
    (lambda: people().gate("x"), r"people: gate\(a str\): give a gate, as gates.filled\('email'\): it has admit\(\)"),
    (lambda: people().gate(gates.filled), r"gate\(a function\): give a gate"),
    (lambda: people().guard("x"), r"guard\(a str\): give a guard, as gates.at_most"),
    (lambda: people().listen("x"), r"listen\(a str\): give a listener: it has receive"),
    (lambda: people().remember("state.db"), r"people: remember\(a str\): give a store, as SqliteStore\('state.db'\)"),
    (lambda: people().remember(MemoryStore), r"remember\(the class MemoryStore\): give a store"),
    (lambda: people().using("x"), r"using\(a str\): give a driver"),
    (lambda: bundle(people()).remember("state.db"), r"remember\(a str\): give a store"),
    (lambda: bundle(people()).using(None), r"using\(a NoneType\): give a driver"),
    (lambda: kept().why("1"), r"people: why\(\): a record is named by a RecordRef.* by a str; write why\(ref\)"),
    (lambda: kept().rule("1", "crm", by="kim"), r"rule\(\): .* write rule\(ref, \.\.\.\)"),
    (lambda: kept().forget([REF]), r"forget\(\): .* by a list; write forget\(ref\), or forget\(\*refs\)"),
    (lambda: kept().retry("1"), r"retry\(\): .* by a str; write retry\(\[ref\]\)"),
    (lambda: kept().retry(1), r"retry\(\): .* by a int"),
    (lambda: at(CRM, "Lead", "Contact", new="Leed"), r"new='Leed'.* takes Lead or Contact"),
    (lambda: pair("a", "A", owner="first"), r"owner='first'.* first_linked or newest; did you mean 'first_linked'"),
    (lambda: people().gate(gates.filled("a"), before="create"), r"before='create'.*did you mean 'creating'"),
    (lambda: people().gate(gates.filled("a"), before=None), r"before=None.* linking, creating or writing"),
    (lambda: people().gate(gates.filled("a"), towards="crm"), r"towards='crm'.*; ma is the left, crm the right"),
    (lambda: people().gate(gates.filled("a"), of="crm"), r"of='crm'.* left or right; ma is the left, crm the right"),
    (lambda: people().creates(left="no", right=True), r"left='no'.* True or False"),
    (lambda: people().creates(left=False, right=1), r"right=1.* True or False"),
    (lambda: people().deletes(left="remove"), r"left='remove'.* detach, archive or delete"),
    (lambda: people().deletes(right=None), r"right=None.* detach, archive or delete"),
    (lambda: people().deletes(right="Detach"), r"right='Detach'.*did you mean 'detach'"),
    (lambda: people().deletes(if_edited="Ask"), r"if_edited='Ask'.* ask, revive or remove"),
    (lambda: people().leased(minutes=0), r"people: leased\(minutes=0\).* more than 0"),
    (lambda: people().leased(minutes=math.nan), r"minutes=nan"),
    (lambda: people().leased(minutes=1e300), r"at most 52,560,000"),
    (lambda: people().batches(of=0), r"of=0.* a whole number, 1 or more"),
    (lambda: people().batches(of=2.5), r"of=2.5.* a whole number"),
    (lambda: posts().after(minutes=-5), r"minutes=-5.* 0 or more"),
    (lambda: posts().after(hours=-1, days=1), r"hours=-1"),
    (lambda: posts().after(days=math.inf), r"days=inf"),
    (lambda: people().after(days=30), r"people: after\(\) is for events\(\) pipelines"),
    (lambda: reports().after(hours=1), r"reports: after\(\) is for events\(\) pipelines.*paced\(\)"),
    (lambda: people().remember(MemoryStore()).enable(), r"people: enable\(\) is for events\(\) pipelines"),
    (lambda: reports().remember(MemoryStore()).disable(), r"reports: disable\(\) is for events\(\).*nobody runs it"),
    (lambda: people().retain(days=-1), r"days=-1.* more than 0.*without retain\(\) history is kept for ever"),
    (lambda: people().retain(days="7"), r"days='7'.* a number"),
    (lambda: reports().paced(cooldown=-HOUR), r"cooldown=.*timedelta, not below zero"),
    (lambda: reports().paced(spacing=5), r"spacing=5.*timedelta"),
    (lambda: reports().paced(reservations=0), r"reservations=0.*1 or more"),
    (lambda: reports().paced(window="week"), r"window='week'.* day; or a datetime.timedelta"),
    (lambda: reports().paced(window=0 * HOUR), r"longer than nothing"),
    (lambda: people().on_quarantine("a@b"), r"people: on_quarantine\(a str\): give a notifier.* it has send\(\)"),
    (lambda: people().on_quarantine(print), r"on_quarantine\(a builtin_function_or_method\): give a notifier"),
    (lambda: people().on_quarantine(Collecting), r"on_quarantine\(the class Collecting\)"),
    (lambda: people().on_quarantine(Awaited()), r"a Awaited\): send\(\) is awaited by nobody"),
    (lambda: people().observed(print), r"observed\(a builtin_function_or_method\): give an observer.* saw\(\)"),
    (lambda: gates.at_most(creates=-1), r"creates=-1.* 0 or more; None is no bound"),
    (lambda: gates.at_most(updates=math.inf), r"updates=inf"),
    (lambda: gates.at_most(blanks=True), r"blanks=True"),
    (lambda: gates.at_most(deletes="2%"), r"deletes='2%'"),
    (lambda: gates.at_most(floor=-1), r"floor=-1"),
    (lambda: gates.at_least("score", "70"), r"bound='70'.* a number"),
    (lambda: policies.newest_wins(otherwise="ma"), r"otherwise='ma'.* left or right"),
    (lambda: policies.newest_wins(otherwise="left", tolerance=-HOUR), r"tolerance="),
    (lambda: linked("firms", "firm", absent="wait"), r"absent='wait'"),
    (lambda: look_up("boss", at(CRM, "Lead"), level("e", KEY), absent=None), r"absent=None"),
    (lambda: key("", "A"), r"left=''.* name a field"),
    (lambda: key("a", {}), r"right=\{\}"),
    (lambda: key("a", {"Lead": ""}), r"right="),
    (lambda: level("e-mail"), r"'e-mail'.*at least one key"),
    (all_of, r"at least one key"),
    (first_of, r"at least one key"),
    (lambda: weigh(KEY, 0), r"weight=0"),
    (lambda: scored("s", weigh(KEY), blocks=[], at_least=0.5), r"at least one block key"),
    (lambda: scored("s", blocks=[KEY], at_least=0.5), r"something to weigh"),
    (lambda: scored("s", weigh(KEY), blocks=[KEY], at_least=70), r"at_least=70.* at most 1"),
    (lambda: scored("s", weigh(KEY), blocks=[KEY], at_least=0.5, margin=-0.1), r"margin=-0.1"),
    (lambda: scored("s", weigh(KEY), blocks=[KEY], at_least=0.5, margin=1.5), r"margin=1.5.* at most 1"),
]


@pytest.mark.parametrize(("said", "told"), REFUSED, ids=[told for _, told in REFUSED])
def test_a_word_or_number_that_nobody_knows_is_refused_with_its_argument_and_the_remedy(said, told):
    with pytest.raises(UsageError, match=told):
        said()


SINGLE_TEXTS = {
    "has_any(values='退会')": lambda: gates.unless(gates.has_any("status", "退会")),
    "by(fields='email')": lambda: gates.by("known", lambda crossing: True, fields="email"),
    "jsonl.row(fields='phone')": lambda: plain.jsonl("x.jsonl", id="id", fields="phone"),
    "rows.row(fields='phone')": lambda: plain.rows([], id="id", fields="phone"),
    "each(fields='to')": lambda: plain.each(print, fields="to"),
    "signed(answers='plan')": lambda: Kengaku.signed("s" * 40, answers="plan"),
    "at_path(answers='plan')": lambda: Kengaku.at_path("s" * 40, answers="plan"),
    "Kengaku(answers='plan')": lambda: Kengaku(answers="plan"),
    "connect(static_fields='age')": lambda: Digima.connect("code", {}, static_fields="age"),
    "FakeDigima(static_fields='age')": lambda: FakeDigima(static_fields="age"),
    "FieldSpec(options='open')": lambda: FieldSpec("Stage", FieldType.CHOICE, options="open"),
    "FieldSpec(refers_to='Account')": lambda: FieldSpec("Parent", FieldType.REFERENCE, refers_to="Account"),
    "Capabilities(finds_by='email')": lambda: Capabilities(finds_by="email"),
    "Capabilities(moved_from='Lead')": lambda: Capabilities(moved_from="Lead"),
    "Account(origins='https://x.example')": lambda: Account("x", "https://y.example", origins="https://x.example"),
    "KindUnderTest(fixed='id')": lambda: KindUnderTest("person", fixed="id"),
    "KindUnderTest(secrets=…)": lambda: KindUnderTest("person", secrets="hush"),
    "Field(picklist='open')": lambda: Field("Stage", "picklist", picklist="open"),
    "has_any(values=b'vip')": lambda: gates.has_any("status", b"vip"),
}


@pytest.mark.parametrize("told", SINGLE_TEXTS)
def test_a_text_where_several_are_meant_is_refused_and_never_taken_letter_by_letter(told):
    with pytest.raises(UsageError) as refused:
        SINGLE_TEXTS[told]()
    assert str(refused.value) == f"{told}: give a list of texts"


@pytest.mark.parametrize(
    "several",
    [["VIP", "退会"], ("VIP", "退会"), {"退会", "VIP"}, dict.fromkeys(["VIP", "退会"]), iter(["VIP", "退会"])],
)
def test_several_texts_are_taken_in_whatever_holds_them(several):
    assert gates.has_any("status", several).values == ("VIP", "退会")


def test_every_word_and_number_at_its_bounds_is_taken():
    for removal in ("detach", "archive", "delete"):
        for if_edited in ("ask", "revive", "remove"):
            assert people().deletes(left=removal, right=removal, if_edited=if_edited)
    for before in ("linking", "writing"):
        for towards in ("left", "right", "both"):
            for of in ("left", "right", None):
                assert people().gate(gates.filled("a"), before=before, towards=towards, of=of)
    for towards in ("left", "right", "both"):
        assert people().gate(gates.filled("a"), before="creating", towards=towards)
    for side in ("left", "right"):
        assert policies.newest_wins(otherwise=side, tolerance=0 * HOUR)
    for owner in ("first_linked", "newest", None):
        assert pair("a", "A", owner=owner)
    assert people().leased(minutes=0.5).batches(of=1).retain(days=36_500)
    assert posts().after()
    assert reports().paced(reservations=1, window=HOUR)
    assert gates.at_most(creates=0, updates=0.5, deletes=Decimal("0.02"), floor=0)
    assert gates.at_least("score", -3)
    assert at(CRM, "Lead", "Contact", new="Contact").new == "Contact"
