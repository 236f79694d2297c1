"""What `likeness-central` does, one module for each command or for a few that belong together."""
