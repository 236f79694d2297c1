"""Updates on the terminal: bundles are checked, tried and kept or given back here; what does so is never replaced."""
