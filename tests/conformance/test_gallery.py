"""Each of the wrong connectors is caught, by the law that is about its fault; the sound one by none."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from crmbridge.testing import FakeConnector, LawBroken, conformance
from crmbridge.testing.checks import CONNECTOR_LAWS, Trial
from crmbridge.testing.faulty import FaultyConnector


def _hung(name):
    """Load a part of the gallery, which is no module of a package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    part = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(part)
    return part


SILENT = _hung("wrong_in_silence")
GALLERY = {**_hung("wrong").GALLERY, **SILENT.GALLERY}
SECRET = "s3cr3t-token"
LAWS = {law.name: law for law in CONNECTOR_LAWS}


@pytest.mark.parametrize("fault", GALLERY)
def test_a_wrong_connector_is_caught_by_the_law_about_its_fault(fault, stands, promises):
    make, law, claims = GALLERY[fault]
    on = stands(promises(**claims), make, secrets=(SECRET,))
    with pytest.raises(LawBroken) as broken:
        LAWS[law](Trial(on.connector, on.driver, on.kind))
    assert broken.value.law == law
    assert law.replace("_", " ") in str(broken.value)
    assert SECRET not in str(broken.value)


@pytest.mark.parametrize("fault", SILENT.SAID)
def test_what_a_law_says_leads_to_the_fault(fault, stands, promises):
    make, law, words = SILENT.SAID[fault]
    on = stands(promises(), make)
    with pytest.raises(LawBroken) as broken:
        LAWS[law](Trial(on.connector, on.driver, on.kind))
    assert words in broken.value.detail
    assert "another" not in broken.value.detail


@pytest.mark.parametrize("make", [FakeConnector, FaultyConnector])
@pytest.mark.parametrize("create", ["none", "A-key", "A-unique", "B", "C"])
def test_the_sound_one_is_caught_by_none(make, create, stands, promises):
    on = stands(promises(create), make, secrets=(SECRET,))
    assert conformance(on.connector, on.driver, on.kind).of("broken") == []


def test_a_verb_that_is_no_flow_is_named(stands, promises):
    class ReadsAtOnce(FakeConnector):
        def read(self, query):
            return self._read(query)

    on = stands(promises(), ReadsAtOnce)
    told = {verdict.detail for verdict in conformance(on.connector, on.driver, on.kind).of("broken")}
    assert any(f"{on.connector.system}.read gives a Page at once and is no flow" in one for one in told)


def test_every_law_catches_somebody():
    """A law that catches nobody proves nothing."""
    assert set(LAWS) - {law for _, law, _ in GALLERY.values()} == set()
