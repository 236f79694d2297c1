"""The voice beside lights and tones: `speech` is pure; `rendering` makes the sounds, `player` plays them."""
