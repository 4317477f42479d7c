"""A field of text that holds ids, paired with one of references: the owner of a lead, as a marketing tool names him."""

from __future__ import annotations

import pytest

from crmbridge import Disposition, at, pair, policies, put, two_way
from crmbridge.adapters.salesforce import Salesforce
from crmbridge.match import key, level
from crmbridge.model import FieldSpec
from crmbridge.reasons import Code
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.sim import ManualClock, SimDriver
from crmbridge.testing.tables import Field

URL = "https://org.my.salesforce.test"
POLICIES = (
    policies.left_wins,
    policies.right_wins,
    policies.newest_wins(otherwise="left"),
    policies.filled_beats_blank(policies.left_wins),
    policies.never_clear(policies.right_wins),
)


class Owners:
    """People whose owner is a plain id, and the leads of an organisation."""

    def __init__(self, policy=policies.left_wins, *, constant=0):
        self.clock, self.store = ManualClock(), MemoryStore()
        self.ma = FakeConnector("ma", described("p", *map(FieldSpec, ("email", "ln", "owner"))), now=self.clock.now)
        self.sf = FakeSalesforce(now=self.clock.now)
        self.sf.add_field("Lead", Field("Ext_Id__c", length=64, unique=True, external_id=True))
        self.kim, self.lee = (
            self.sf.put("User", LastName=name, Username=f"{name}@org.example", Email=f"{name}@org.example")
            for name in ("Kim", "Lee")
        )
        held = self.sf.credentials
        org = Salesforce.connect(URL, held["client_id"], held["client_secret"], external_ids={"Lead": "Ext_Id__c"})
        self.pipe = (
            two_way("owners", at(self.ma, "p"), at(org, "Lead"))
            .match(level("email", key("email", "Email", str.lower)))
            .creates(left=True, right=True)
            .fields(pair("email", "Email"), pair("ln", "LastName"), put("Company", "x"), policy=policies.left_wins)
            .fields(put("OwnerId", self.kim[:constant]) if constant else pair("owner", "OwnerId"), policy=policy)
            .remember(self.store)
            .using(SimDriver(clock=self.clock, transports={URL: self.sf.transport()}, store=self.store))
        )

    def person(self, owner):
        return self.ma.put("p", email="a@x.example", ln="Han", owner=owner)

    def run(self):
        self.clock.advance(1800)
        return self.pipe.run()

    def rest(self):
        """Run until nothing is written, which no second run may do."""
        self.run()
        last = self.run()
        assert (last.writes, self.parked()) == (0, [])

    def parked(self):
        return [str(row.because) for row in self.store.quarantine.rows("owners")]

    def held(self):
        [person], [lead] = self.ma.rows("p"), self.sf.rows("Lead")
        return person["owner"], lead["OwnerId"]


@pytest.mark.parametrize("signs", [15, 18])
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_plain_ids_and_references_are_kept_in_step_both_ways(policy, signs):
    owners = Owners(policy=policy)
    ref = owners.person(owners.kim[:signs])
    owners.rest()
    assert owners.held() == (owners.kim[:signs], owners.kim)
    owners.ma.edit(ref, owner=owners.lee[:signs])
    owners.rest()
    assert owners.held() == (owners.lee[:signs], owners.lee)
    [lead] = owners.sf.rows("Lead")
    owners.sf.edit("Lead", lead["Id"], OwnerId=owners.kim)
    owners.rest()
    assert owners.held() == (owners.kim, owners.kim)


@pytest.mark.parametrize("signs", [15, 18])
def test_a_master_of_plain_ids_has_its_way_and_comes_to_rest(signs):
    owners = Owners(policy=policies.left_always)
    owners.person(owners.kim[:signs])
    owners.rest()
    [lead] = owners.sf.rows("Lead")
    owners.sf.edit("Lead", lead["Id"], OwnerId=owners.lee)
    owners.rest()
    assert owners.held() == (owners.kim[:signs], owners.kim)


@pytest.mark.parametrize("signs", [15, 18])
def test_a_person_and_a_lead_of_one_owner_are_linked_without_a_write(signs):
    owners = Owners()
    owners.sf.put("Lead", Email="a@x.example", LastName="Han", Company="x", OwnerId=owners.kim)
    owners.person(owners.kim[:signs])
    assert owners.run().writes == 0
    assert owners.held() == (owners.kim[:signs], owners.kim)


def test_a_person_that_is_made_from_a_lead_is_given_the_plain_id_of_its_owner():
    owners = Owners()
    owners.sf.put("Lead", Email="a@x.example", LastName="Han", Company="x", OwnerId=owners.lee)
    owners.rest()
    assert owners.held() == (owners.lee, owners.lee)


@pytest.mark.parametrize("signs", [15, 18])
def test_an_owner_whose_write_has_lost_its_answer_is_known_as_ours(signs):
    owners = Owners()
    ref = owners.person(owners.kim)
    owners.rest()
    owners.ma.edit(ref, owner=owners.lee[:signs])
    owners.sf.faults.lose_answer(to="PATCH", path="/services/data/v67.0/composite", times=1, way="reset")
    for _ in range(2):
        owners.run()
    told = {row.because.code for row in owners.pipe.why(ref) if row.because is not None}
    assert Code.RECOVERED in told
    assert Code.RECOVERED_CONFLICT not in told
    owners.rest()


@pytest.mark.parametrize("signs", [15, 18])
@pytest.mark.parametrize("how", ["pair", "put"])
def test_a_lead_that_was_given_an_owner_can_be_undone_until_somebody_else_gives_it_another(how, signs):
    for touched in (False, True):
        owners = Owners(constant=signs if how == "put" else 0)
        owners.person(owners.kim[:signs])
        made = owners.run()
        owners.run()
        if touched:
            [lead] = owners.sf.rows("Lead")
            owners.sf.edit("Lead", lead["Id"], OwnerId=owners.lee)
        plan = owners.pipe.undo(made)
        [row] = plan.rows()
        assert (row.disposition is Disposition.APPLIED, row.because.code) == (
            (False, Code.CHANGED_SINCE) if touched else (True, Code.UNDONE)
        )
        owners.pipe.run(plan)
        assert len(owners.sf.rows("Lead")) == int(touched)
