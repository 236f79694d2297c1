"""What the console and the public page share: who may come in, how often, how pages are served and how they look."""
