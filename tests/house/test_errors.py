"""The tree of errors that is drawn is the tree that is raised."""

import copy
import datetime as dt
import inspect
import pickle
import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import get_args, get_type_hints

import pytest

from crmbridge import errors
from crmbridge.bundles import BundlePlan, BundleReport
from crmbridge.errors import AdapterError, UsageError
from crmbridge.reasons import Code, because
from crmbridge.report import Report

BRANCH = re.compile(r"^(?P<indent>[ │]*)(?:[├└]── )?(?P<name>[A-Z]\w+)(?:\s{2,}(?P<says>.*))?$")


def drawn():
    """Read (name, parent, remark) from the drawing; four columns are one step down."""
    path, depths = [], []
    for line in inspect.getdoc(errors).splitlines()[1:]:
        found = BRANCH.match(line)
        if not found:
            continue
        depth = found.start("name")
        while depths and depths[-1] >= depth:
            path.pop()
            depths.pop()
        yield found["name"], path[-1] if path else "Exception", found["says"] or ""
        path.append(found["name"])
        depths.append(depth)


def raised():
    classes = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, Exception)]
    return {one.__name__: one for one in classes if one.__module__ == errors.__name__}


def test_the_drawing_and_the_classes_are_the_same_tree():
    assert {name: parent for name, parent, _ in drawn()} == {
        name: one.__bases__[0].__name__ for name, one in raised().items()
    }


def test_a_second_ancestor_is_drawn_too():
    also = {name: set(re.findall(r"\(also (\w+)\)", says)) for name, _, says in drawn()}
    assert also == {name: {base.__name__ for base in one.__bases__[1:]} for name, one in raised().items()}


def test_each_error_says_in_one_sentence_what_happened():
    assert [name for name, one in raised().items() if not (one.__doc__ or "").strip().endswith(".")] == []


@pytest.mark.parametrize("error", [errors.RunFailed, errors.BundleFailed])
def test_the_report_that_an_error_carries_is_known_to_a_type_checker(error):
    reports = {one.__name__: one for one in (Report, BundleReport, BundlePlan)}
    hints = get_type_hints(error.__init__, localns=reports)
    assert set(get_args(hints["report"])) <= set(reports.values())
    assert BundleReport in get_args(hints["report"])


NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
ASKED = {"status": 429, "code": "QUOTA"}
REPORTS = BundleReport({})
MADE = {
    "MissingExtra": ("postgres", "psycopg"),
    "GuardTripped": ("people", because(Code.TOO_LONG, field="phone", length=31, limit=20)),
    "BundleFailed": ({"people": errors.NotAllowed("crm", "no", status=401)}, ["deals"], REPORTS),
    "RunFailed": ("people: 1 quarantined", REPORTS),
}
NAMED = {
    "Throttled": {"until": NOON},
    "Unreachable": {"may_have_arrived": True},
    "GuardTripped": {"written": 3},
}


def instances():
    """Make one of each error, with something in every attribute that it can have."""
    made = []
    for name, kind in raised().items():
        of_a_system = issubclass(kind, AdapterError)
        said = MADE.get(name, ("crm", "asks us to wait") if of_a_system else ("said",))
        made.append(kind(*said, **NAMED.get(name, {}), **(ASKED if of_a_system else {})))
    return made


def told(error):
    """Tell all that an error says of itself; errors inside it too, and no report."""
    inner = {name: told(one) for name, one in getattr(error, "errors", {}).items()}
    rest = {name: value for name, value in vars(error).items() if name not in ("_report", "errors")}
    return type(error), str(error), error.args, rest, inner


@pytest.mark.parametrize("error", instances(), ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_that_was_pickled_is_the_same_by_type_text_and_attributes(error, protocol):
    error.add_note("in tenant 2")
    again = pickle.loads(pickle.dumps(error, protocol))
    assert told(again) == told(error)
    assert again.__notes__ == error.__notes__
    assert told(pickle.loads(pickle.dumps(again, protocol))) == told(error)


@pytest.mark.parametrize("error", instances(), ids=lambda error: type(error).__name__)
def test_an_error_can_be_copied(error):
    assert told(copy.copy(error)) == told(copy.deepcopy(error)) == told(error)


class Odd(AdapterError):
    """Made from what is no text."""

    def __init__(self, number):
        super().__init__("odd", "has a rule of its own", status=418)
        self.number = number


def test_an_error_of_a_connectors_own_can_be_pickled_too():
    again = pickle.loads(pickle.dumps(Odd(7)))
    assert (type(again), str(again), again.number, again.status) == (Odd, "odd: has a rule of its own (418)", 7, 418)


@pytest.mark.parametrize("error", [errors.RunFailed("1 quarantined", REPORTS), errors.BundleFailed({}, [], REPORTS)])
def test_a_report_stays_in_its_process_and_who_asks_for_it_elsewhere_is_told_so(error):
    assert error.report is copy.copy(error).report is REPORTS
    with pytest.raises(UsageError, match="came from another process"):
        _ = pickle.loads(pickle.dumps(error)).report


def test_a_refused_credential_ends_one_job_of_a_pool_and_not_the_pool():
    job = "from crmbridge.errors import NotAllowed; raise NotAllowed('crm', 'refuses the credential', status=401)"
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        refused, others = pool.submit(exec, job), [pool.submit(abs, -number) for number in (2, 3)]
        assert [other.result(60) for other in others] == [2, 3]
        with pytest.raises(errors.NotAllowed, match="refuses the credential") as refusal:
            refused.result(60)
    assert (refusal.value.system, refusal.value.status) == ("crm", 401)
