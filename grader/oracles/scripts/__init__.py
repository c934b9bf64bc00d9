"""The scripts that run in the room: the standard library and TensorFlow, nothing of ours."""
