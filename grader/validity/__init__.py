"""Trying out the grader: references and generated mutations on real data, counted into a page."""
