"""The bundled rehearsal person: an animation made from a portrait in the public domain, and how it was prepared."""
