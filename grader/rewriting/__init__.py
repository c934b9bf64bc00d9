"""Changing the code of references by program: other seeds, and mutations that must cost something."""
