"""Hand-ins of different groups that are like each other, side by side: a hint for a person, no verdict."""
