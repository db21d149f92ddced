"""Effects in money from per-arm moments: pure functions, no Django, no I/O, no clock."""
