"""The locked room: bubblewrap, limits, the kernel inside, and what makes it look like Colab.

`room/` holds the files that are bound into the room and run beside student code; they import
nothing of ours. Everything else runs outside.
"""
