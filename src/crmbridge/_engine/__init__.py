"""The engine: flows that ingest, decide, promise, act and remember. It yields effects and performs none."""
