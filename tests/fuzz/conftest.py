"""Fuzzing: the parsers are found beside the tests."""
