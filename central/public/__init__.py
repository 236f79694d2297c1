"""The public page: what a customer's slip stands for, and how to object to it. It reads little and writes disputes."""
