"""The console: what auditors look at. It reads the ledger; of its own it writes accounts, sign-ins and counts."""
