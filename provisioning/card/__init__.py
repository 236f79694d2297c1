"""The card: what a Pi OS card needs on its boot partition to become a terminal at its first boot."""
