"""The laws of connectors, listeners and pipelines, as functions: call one with what is on trial.

A law returns nothing where it holds. It raises `LawBroken` where it does not, and `NotClaimed` where it is about
something that was never promised.
"""

from __future__ import annotations

from ._given import Hand, KindUnderTest, Runs
from ._law import Law, LawBroken, NotClaimed
from ._samples import HOSTILE
from ._trial import Trial
from .changing import CHANGING
from .creating import CREATING
from .fetching import ABOUT_ITSELF, FETCHING
from .filling import FILLING
from .finding import FINDING
from .keeping import KEEPING
from .listening import LISTENING, ListenerUnderTest
from .reading import READING
from .running import RUNNING, Making, PipelineUnderTest
from .storing import STORING
from .telling import TELLING
from .timing import TIMING
from .writing import WRITING

SOURCE_LAWS: tuple[Law[Trial], ...] = (*ABOUT_ITSELF, *READING, *TELLING, *FETCHING, *TIMING, *FILLING)
"""What can be proved of what is only read."""

SINK_LAWS: tuple[Law[Trial], ...] = (*ABOUT_ITSELF, *FINDING, *WRITING, *CREATING)
"""What can be proved of what is only written."""

CONNECTOR_LAWS: tuple[Law[Trial], ...] = (
    *ABOUT_ITSELF, *READING, *TELLING, *FETCHING, *TIMING, *FINDING, *WRITING, *CREATING, *KEEPING, *CHANGING,
    *STORING, *FILLING,
)  # fmt: skip
"""Everything that can be proved of a connector."""

LISTENER_LAWS: tuple[Law[ListenerUnderTest], ...] = LISTENING
"""Everything that can be proved of a listener."""
PIPELINE_LAWS: tuple[Law[Making], ...] = RUNNING
"""Everything that can be proved of a pipeline."""

__all__ = [
    "CONNECTOR_LAWS",
    "HOSTILE",
    "LISTENER_LAWS",
    "PIPELINE_LAWS",
    "SINK_LAWS",
    "SOURCE_LAWS",
    "Hand",
    "KindUnderTest",
    "Law",
    "LawBroken",
    "ListenerUnderTest",
    "Making",
    "NotClaimed",
    "PipelineUnderTest",
    "Runs",
    "Trial",
]
