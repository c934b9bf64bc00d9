"""Reads and rebuilds notebooks, and reads facts from their code, text and outputs."""
