"""Evaluation: the same vision and session as the daemon, on recordings, without production keys or chain."""
