"""Liveness: is a person there who answers the cues? Pure: no clock, file or picture; time arrives in the signals."""
