"""The customer's slip: drawn as one picture, printed on receipt paper, shown on a screen at the counter."""
