"""The main job on real input: two systems brought into step, edited, and brought into step again."""

from ._story import demo as demo

__all__ = ["demo"]
