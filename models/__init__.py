"""The weights the terminal uses, their manifest, and the recipes that made them."""
