"""The attack battery: whole sessions of every attack species, and of bona fide people, through the real models."""
