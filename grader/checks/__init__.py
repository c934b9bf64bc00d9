"""Checks: pure functions from evidence to a verdict, one module per subject, and their registry."""
