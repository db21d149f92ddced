"""Loading a finished experiment from a file: its specification stands for the agreement that it never had."""
