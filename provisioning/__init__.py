"""Provisioning: who may speak for whom. For now a throw-away authority for demo and tests."""
