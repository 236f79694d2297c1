"""The commands of likeness-provision, a module for each part of the work."""
