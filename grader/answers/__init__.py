"""Reading answers in words: found, split into claims, matched with what a question's YAML describes."""
