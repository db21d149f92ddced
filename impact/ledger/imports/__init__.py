"""Files of facts: read in chunks, checked row by row, stored set by set."""
