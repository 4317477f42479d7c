"""The roles of `PostgresStore`, over a pool of connections."""
