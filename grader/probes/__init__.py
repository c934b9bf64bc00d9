"""Runs beside student code: records training with TensorFlow as it happens, and replays it afterwards."""
