"""Version of the analysis: raised whenever the same snapshot and plan would give another document."""

CODE_VERSION = "19"
