"""The roles of `SqliteStore`, over one connection."""
