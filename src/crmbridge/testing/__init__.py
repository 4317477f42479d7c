"""What a test of a pipeline, a connector or a store needs: fakes of the vendors, suites of laws, simulation.

Nothing in here runs in production, and nothing in here is imported by the rest of the package but the command line.
"""
