"""Calibrating accuracy thresholds: what a reference reaches over seeds, and what follows from it."""
