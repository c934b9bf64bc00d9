"""Reads what Moodle or a TA hands over and turns it into submissions."""
