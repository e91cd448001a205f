"""The simulated school: wiring, clock, broker, district."""
