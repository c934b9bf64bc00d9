"""Hand-ins that mean harm, each with what must come of it, graded beside honest ones."""
