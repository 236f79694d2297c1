"""The terminal: camera, vision, liveness, panel and signed results."""
