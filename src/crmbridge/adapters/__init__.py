"""Adapters: one module per product, each an import and a `connect` away; none knows another."""
