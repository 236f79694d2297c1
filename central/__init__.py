"""Central: receives, verifies, keeps and receipts the results of terminals; knows nothing of cameras or models."""
