"""The pages: each is a function from a visit to an answer."""
