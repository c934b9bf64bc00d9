"""Fixes of broken scripts: found in a hand-in, spliced into the script, judged by what training then does."""
