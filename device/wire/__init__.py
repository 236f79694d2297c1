"""The contract that terminal and central speak: pure values and functions; docs/protocol.md is its text."""
