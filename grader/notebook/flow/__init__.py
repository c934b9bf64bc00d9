"""Reads what code does by going through it with abstract values; it never runs the student's code."""
