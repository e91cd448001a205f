"""Buttons, lamps and the wiring between them and the Pi."""
