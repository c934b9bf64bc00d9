"""Gathers the facts about one hand-in, each with its source."""
