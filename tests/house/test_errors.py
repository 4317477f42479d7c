"""The tree of errors that is drawn is the tree that is raised."""

import inspect
import re
from typing import get_args, get_type_hints

import pytest

from crmbridge import errors
from crmbridge.bundles import BundlePlan, BundleReport
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
