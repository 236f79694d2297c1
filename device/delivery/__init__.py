"""Delivery: results wait on disk until central holds them; requests are checked before anyone sees them."""
