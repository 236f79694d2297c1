"""Vision: from a frame to a face, its landmarks, its scalars and, where it is due, its embedding."""
