"""Applications that fail: what the client, the log and the other requests get."""
