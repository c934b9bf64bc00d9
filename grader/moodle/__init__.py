"""Moodle's formats on the way out: the grading worksheet, filled in place, and the zip of feedback files."""
