"""Measurements beside the SDK alone; each is a command, which also writes its table into RESULTS.md."""
