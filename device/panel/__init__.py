"""The panel: lights, sound and two buttons. `prompts` is pure; `gpio` drives the pins."""
