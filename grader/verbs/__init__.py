"""Verbs of the command line that are not in `cli.py`, by whom they are for, and options that verbs share."""
