"""Simulation for a pipeline of your own: people who edit, answers that get lost, processes that die, and laws.

A seed is a world: two fakes, a clock, a store. In each, trouble and quiet take turns; whenever all is quiet, laws are
asked that look at the systems' own ledgers and rows. The same seed lives the same life.
"""

from ._laws import LAWS
from ._report import LawsBroken, SimReport, Violation
from ._seeds import simulate
from ._world import Breach, Deed, Hands, SimWorld, Trail

__all__ = ["LAWS", "Breach", "Deed", "Hands", "LawsBroken", "SimReport", "SimWorld", "Trail", "Violation", "simulate"]
