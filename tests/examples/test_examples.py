"""Each example is a program that runs: here against fakes on real ports, as a user would start it."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from crmbridge.testing.fakes.account_engagement import FakeAccountEngagement
from crmbridge.testing.fakes.salesforce import FakeSalesforce

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
KNOWN = {"account_engagement_salesforce.py", "companies_and_people.py", "kengaku_digima.py"}
"""Those that a test below runs."""


def started(example, *arguments, **environment):
    """Run an example in a process of its own; all it knows stands in its environment."""
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "LANG")}
    return subprocess.run(
        [sys.executable, "-X", "utf8", str(EXAMPLES / example), *arguments],
        env={**inherited, "PYTHONPATH": str(ROOT / "src"), **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


class Products:
    """A business unit and its organisation on ports; the organisation's tokens open both, as at the vendor."""

    def __init__(self, ae, sf, environment):
        self.ae, self.sf, self.environment, self.seller = ae, sf, environment, ""

    def run(self, *arguments, **more):
        return started("account_engagement_salesforce.py", *arguments, **{**self.environment, **more})


@contextmanager
def served(tmp_path):
    sf = FakeSalesforce()
    ae = FakeAccountEngagement(accepts=sf.accepts)
    with ae.serve() as ae_url, sf.serve() as sf_url:
        yield Products(
            ae,
            sf,
            {
                "ORG_URL": sf_url,
                "AE_URL": ae_url,
                "CLIENT_ID": sf.credentials["client_id"],
                "CLIENT_SECRET": sf.credentials["client_secret"],
                "BUSINESS_UNIT_ID": ae.credentials["business_unit_id"],
                "STATE": str(tmp_path / "state.db"),
            },
        )


@pytest.fixture
def products(tmp_path):
    with served(tmp_path) as both:
        user = both.sf.put("User", LastName="佐藤", Username="sato@org.example", Email="sato@org.example")
        both.seller = both.ae.put("user", email="sato@org.example", salesforceId=user)
        both.ae.put("prospect", email="taro@east.example", lastName="山田", company="東都", assignedToId=both.seller)
        both.ae.put("prospect", email="hanako@east.example", lastName="鈴木", comments="展示会で名刺交換")
        both.sf.put("Lead", Email="hanako@east.example", LastName="鈴木", Company="西都", Title="課長")
        yield both


@pytest.mark.parametrize("missing", ["ORG_URL", "CLIENT_ID", "CLIENT_SECRET", "BUSINESS_UNIT_ID"])
def test_what_is_missing_in_the_environment_is_named_in_one_line(products, missing):
    ran = products.run(**{missing: ""})
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", f"missing in the environment: {missing}\n")


@pytest.mark.parametrize("url", ["crm.example", "http://crm.example", "https://user:made-up@crm.example"])
def test_an_address_that_cannot_be_used_is_told_in_one_line(products, url):
    ran = products.run(ORG_URL=url)
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "made-up" not in ran.stderr


def test_a_plan_is_shown_and_nothing_is_written(products):
    ran = products.run()
    assert ran.returncode == 0, ran.stderr
    assert "salesforce: create 1" in ran.stdout
    assert (len(products.ae.ledger), len(products.sf.ledger)) == (0, 0)


def test_a_run_brings_both_into_step_and_a_second_finds_nothing_to_write(products):
    ran = products.run("--run")
    assert ran.returncode == 0, ran.stderr
    leads = {lead["Email"]: lead for lead in products.sf.rows("Lead")}
    assert sorted(leads) == ["hanako@east.example", "taro@east.example"]
    assert leads["hanako@east.example"]["Description"] == "展示会で名刺交換"
    assert [row["company"] for row in products.ae.rows("prospect")] == ["東都", "西都"]
    written = len(products.ae.ledger) + len(products.sf.ledger)
    again = products.run("--run")
    assert again.returncode == 0, again.stderr
    assert len(products.ae.ledger) + len(products.sf.ledger) == written


def test_what_cannot_cross_ends_the_program_with_an_error_that_says_so(products):
    products.ae.put("prospect", email="long@east.example", lastName="長" * 81, assignedToId=products.seller)
    ran = products.run("--run")
    assert ran.returncode == 1
    assert "1 quarantined" in ran.stderr


def test_a_wrong_secret_ends_the_program_without_a_traceback_and_without_the_secret(products):
    ran = products.run("--run", CLIENT_SECRET="canary-of-a-wrong-secret")
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert "canary" not in ran.stdout + ran.stderr


def test_every_example_is_run_by_a_test():
    assert {path.name for path in EXAMPLES.glob("*.py")} == KNOWN
