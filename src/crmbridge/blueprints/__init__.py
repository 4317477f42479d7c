"""Ready-made pipelines for real product pairs.

Each module has `Settings` and `build(left, right, settings=Settings(), *, store)`; what `build` gives is a value, so
users keep calling methods on it.
"""
