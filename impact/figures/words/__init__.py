"""The fixed words and sentence patterns, one module a language, each with the same names."""
