"""The example of two files that refer to each other, as a user would start it, against an organisation on a port."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crmbridge.testing.fakes.salesforce import FakeSalesforce

ROOT = Path(__file__).resolve().parents[2]
COMPANIES = "id,name,phone\n1,東都商事,03-1234-5678\n2,西都産業,\n"
PEOPLE = (
    "id,last_name,email,company,owner\n"
    "1,山田,taro@east.example,1,sato@org.example\n"
    "2,鈴木,hanako@west.example,2,nobody@org.example\n"
    "3,田中,jiro@west.example,2,\n"
)


class Files:
    """Two files, an organisation on a port, and a state file."""

    def __init__(self, folder, sf, url):
        self.folder, self.sf = folder, sf
        self.environment = {
            "ORG_URL": url,
            "CLIENT_ID": sf.credentials["client_id"],
            "CLIENT_SECRET": sf.credentials["client_secret"],
            "STATE": str(folder / "state.db"),
            "PYTHONPATH": str(ROOT / "src"),
        }
        self.write("companies.csv", COMPANIES)
        self.write("people.csv", PEOPLE)

    def write(self, name, text):
        (self.folder / name).write_text(text, "utf-8")

    def run(self, *arguments):
        inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "LANG")}
        program = ROOT / "examples" / "companies_and_people.py"
        return subprocess.run(
            [sys.executable, "-X", "utf8", str(program), *arguments],
            env={**inherited, **self.environment},
            cwd=self.folder,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )


@pytest.fixture
def files(tmp_path):
    sf = FakeSalesforce()
    with sf.serve() as url:
        yield Files(tmp_path, sf, url)


def test_people_point_to_their_companies_and_to_the_users_who_look_after_them(files):
    user = files.sf.put("User", LastName="佐藤", Username="sato@org.example", Email="sato@org.example")
    ran = files.run("companies.csv", "people.csv", "--run")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    accounts = {row["Name"]: row["Id"] for row in files.sf.rows("Account")}
    people = {row["LastName"]: row for row in files.sf.rows("Contact")}
    assert [people[name]["AccountId"] for name in ("山田", "鈴木", "田中")] == [
        accounts["東都商事"],
        accounts["西都産業"],
        accounts["西都産業"],
    ]
    assert people["山田"]["OwnerId"] == user
    assert people["鈴木"]["OwnerId"] != user
    written = len(files.sf.ledger)
    again = files.run("companies.csv", "people.csv", "--run")
    assert (again.returncode, len(files.sf.ledger)) == (0, written)


def test_a_plan_shows_people_of_companies_that_are_planned_themselves_and_writes_nothing(files):
    ran = files.run("companies.csv", "people.csv")
    assert ran.returncode == 0, ran.stderr
    assert "in all: 5 records read" in ran.stdout
    assert "(new)" in ran.stdout
    assert len(files.sf.ledger) == 0


def test_people_of_a_company_that_cannot_be_written_wait_for_it_and_the_others_do_not(files):
    files.write("companies.csv", COMPANIES.replace("西都産業", "西" * 256))
    ran = files.run("companies.csv", "people.csv", "--run")
    assert ran.returncode == 1
    assert "3 quarantined" in ran.stderr
    assert [row["LastName"] for row in files.sf.rows("Contact")] == ["山田"]
    files.write("companies.csv", COMPANIES)
    ran = files.run("companies.csv", "people.csv", "--run")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(files.sf.rows("Contact")) == 3


def test_too_few_files_are_answered_with_how_to_start_it(files):
    ran = files.run("companies.csv")
    assert ran.returncode == 2
    assert "COMPANIES.csv PEOPLE.csv" in ran.stderr
