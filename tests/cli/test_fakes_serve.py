"""Fakes served by the command line, and clients of other makes that enter them."""

import json
import signal
import socket
import ssl
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest

PATIENCE = 60


class Served:
    """A process that serves fakes."""

    def __init__(self, process):
        self.process = process
        self.told = json.loads(process.stdout.readline())

    def base(self, name):
        return self.told[name]["base_url"]

    def given(self, name):
        return self.told[name]["credentials"]

    def token(self, name, **how):
        """Sign in as the vendor's documentation tells."""
        form = {name_: self.given(name)[name_] for name_ in ("client_id", "client_secret")}
        answer = httpx.post(
            f"{self.base(name)}/services/oauth2/token", data={"grant_type": "client_credentials", **form}, **how
        )
        return answer.raise_for_status().json()["access_token"]

    def leads(self, token, fields="Id", **how):
        answer = httpx.get(
            f"{self.base('salesforce')}/services/data/v67.0/query",
            params={"q": f"SELECT {fields} FROM Lead ORDER BY Id"}, headers={"Authorization": f"Bearer {token}"}, **how,
        )  # fmt: skip
        return answer.raise_for_status().json()["records"]

    def prospects(self, token, fields):
        return httpx.get(
            f"{self.base('account-engagement')}/api/v5/objects/prospects",
            params={"fields": fields},
            headers={
                "Authorization": f"Bearer {token}",
                "Pardot-Business-Unit-Id": self.given("account-engagement")["business_unit_id"],
            },
        )


@contextmanager
def serving(*arguments):
    command = [sys.executable, "-m", "crmbridge", "fakes", "serve", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    try:
        yield Served(process)
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Salesforce and Account Engagement as one customer has them, with somebody in each."""
    data = tmp_path_factory.mktemp("data") / "people.jsonl"
    user, lead = "0055g0000000009AAA", "00Q5g0000000777EAA"
    lines = [
        {"fake": "account-engagement", "kind": "prospect",
         "values": {"email": "taro@acme.example", "salesforceOwnerId": user}},
        {"fake": "salesforce", "kind": "User", "id": user,
         "values": {"LastName": "営業", "Username": "s@acme.example", "Email": "s@acme.example"}},
        {"fake": "salesforce", "kind": "Lead", "id": lead, "values": {"LastName": "山田", "Company": "株式会社　見本"},
         "at": "2026-01-05T09:00:00+09:00"},
    ]  # fmt: skip
    data.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    with serving("salesforce", "account-engagement", "--data", data) as served:
        yield served


def test_the_first_line_tells_where_each_fake_is_and_how_to_enter_it(both):
    assert list(both.told) == ["salesforce", "account-engagement"]
    known = {"client_id", "client_secret", "username", "password", "token", "business_unit_id", "refresh_token"}
    for name in both.told:
        assert set(both.told[name]) == {"base_url", "credentials"}
        assert both.base(name).startswith("http://127.0.0.1:")
        assert set(both.given(name)) >= known


def test_a_plain_client_signs_in_and_finds_what_the_data_said(both):
    [lead] = both.leads(both.token("salesforce"), "Id, LastName, Company, CreatedDate")
    assert (lead["Id"], lead["LastName"], lead["Company"]) == ("00Q5g0000000777EAA", "山田", "株式会社　見本")
    assert lead["CreatedDate"].startswith("2026-01-05T00:00:00")


def test_the_token_of_salesforce_opens_account_engagement_as_in_real_life(both):
    token = both.token("salesforce")
    assert both.prospects(token, "email").status_code == 200
    assert both.prospects(token[:-1], "email").status_code == 401


def test_both_fakes_name_one_business_unit(both):
    units = {both.given(name)["business_unit_id"] for name in both.told}
    assert len(units) == 1


@pytest.mark.parametrize("name", ["salesforce", "account-engagement"])
def test_a_client_that_has_nothing_but_a_refresh_token_signs_in(both, name):
    form = {part: both.given(name)[part] for part in ("client_id", "client_secret", "refresh_token")}
    answer = httpx.post(f"{both.base(name)}/services/oauth2/token", data={"grant_type": "refresh_token", **form})
    assert both.prospects(answer.json()["access_token"], "email").status_code == 200


def test_a_user_of_salesforce_may_own_a_prospect_wherever_the_lines_stand(both):
    [prospect] = both.prospects(both.token("salesforce"), "email,salesforceOwnerId").json()["values"]
    assert prospect["salesforceOwnerId"] == "0055g0000000009AAA"


@pytest.mark.skipif(sys.platform == "win32", reason="a process is ended in another way there")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_and_that_is_no_error(end):
    with serving("salesforce") as served:
        served.process.send_signal(end)
        assert served.process.wait(PATIENCE) == 0
        assert served.process.stderr.read() == ""
        with pytest.raises(httpx.ConnectError):
            httpx.get(served.base("salesforce"))


def free_ports():
    """Find two neighbours that nobody uses."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def test_several_fakes_take_ports_one_after_the_other():
    port = free_ports()
    with serving("account-engagement", "salesforce", "--port", port) as served:
        assert served.base("account-engagement").endswith(f":{port}")
        assert served.base("salesforce").endswith(f":{port + 1}")


def test_a_port_that_is_taken_is_said_in_one_line(both):
    port = both.base("salesforce").rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "crmbridge", "fakes", "serve", "salesforce", "--port", port],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)


def test_faults_are_shown_as_often_as_was_asked():
    with serving("salesforce", "account-engagement", "--faults", "F07:2/GET /services/data,F20:1") as served:
        token = served.token("salesforce")
        query = f"{served.base('salesforce')}/services/data/v67.0/query?q=SELECT+Id+FROM+Lead"
        seen = [httpx.get(query, headers={"Authorization": f"Bearer {token}"}).status_code for _ in range(3)]
        assert [status == 200 for status in seen] == [False, False, True]


def test_the_seed_is_what_chance_depends_on():
    def secret(seed):
        with serving("salesforce", "--seed", seed) as served:
            return served.given("salesforce")["client_secret"]

    assert secret(1) == secret(1) != secret(2)


def test_over_tls_the_told_authority_is_the_one_to_trust():
    pytest.importorskip("trustme", reason="could not import trustme: install it to serve over TLS")
    with serving("salesforce", "account-engagement", "--tls") as served:
        for name in served.told:
            assert served.base(name).startswith("https://127.0.0.1:")
            trusting = ssl.create_default_context(cadata=served.told[name]["ca"])
            assert served.token(name, verify=trusting)
            with pytest.raises(httpx.ConnectError):
                served.token(name)


def test_tls_without_its_package_names_the_extra():
    program = (
        "import sys; sys.modules['trustme'] = None\n"
        "from crmbridge.cli import main; sys.exit(main(['fakes', 'serve', 'salesforce', '--tls']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'crmbridge[testing]'" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["account-engagement", "digima", "kengaku", "salesforce"])
def test_a_fake_is_described_as_one_openapi_document(name):
    command = [sys.executable, "-m", "crmbridge", "fakes", "describe", name]
    described = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert described["openapi"] == "3.1.0"
    assert described["paths"]
    assert described["servers"] == [{"url": f"https://{name}.invalid"}]


def test_a_fake_that_there_is_not_is_not_described():
    command = [sys.executable, "-m", "crmbridge", "fakes", "describe", "nope"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "account-engagement, digima, kengaku, salesforce" in done.stderr
