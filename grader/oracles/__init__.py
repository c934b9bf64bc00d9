"""Oracles: scripts of ours that find out in a room what is true, and facts derived from what they print."""
