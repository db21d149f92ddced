"""The design editor: where a design begins, its form, what it declares, and its pages."""
