"""Writes the pages a person reads: one per hand-in, one per class."""
