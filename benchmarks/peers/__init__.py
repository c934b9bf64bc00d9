"""The same attempts against other graders: what a notebook that means harm gets from them."""
