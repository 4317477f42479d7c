"""What the tests of plain sources share: a CRM in memory, and a driver that blocks."""

import pytest

from crmbridge import at, key, level, one_way, pair
from crmbridge.drive import Driver
from crmbridge.model import FieldSpec
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import FakeConnector, described


@pytest.fixture
def crm():
    return FakeConnector("crm", described("contact", FieldSpec("email"), FieldSpec("name")))


@pytest.fixture
def run():
    with Driver() as driver:
        yield driver.run


@pytest.fixture
def carried(crm):
    """Build the pipeline that most tests run: people of a source, by e-mail, into the CRM."""

    def build(source, kind="row"):
        return (
            one_way("people", at(source, kind), at(crm, "contact"))
            .match(level("email", key("email", "email")))
            .fields(pair("email", "email"), pair("name", "name"))
            .remember(MemoryStore())
        )

    return build
