"""Turns one job (a notebook in a room) into one run."""
