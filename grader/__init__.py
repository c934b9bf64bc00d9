"""grader: runs and grades the notebooks of a deep-learning course."""
