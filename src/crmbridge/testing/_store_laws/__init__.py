"""The laws of a store, by role; `StoreSuite` gathers them."""
