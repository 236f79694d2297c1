"""How the shipped weights are made; `models/rebuild` runs these modules in order."""
