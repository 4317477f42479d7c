"""The roles of `MemoryStore`."""
