"""Enrolment on the terminal: keys are born here, the authority's answer is checked here; a power cut loses neither."""
