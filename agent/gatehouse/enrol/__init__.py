"""Getting the gateway its certificate, and a new one in time (docs/decisions/0015)."""
