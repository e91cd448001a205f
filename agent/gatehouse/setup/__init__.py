"""``gatehouse setup``: from answers to a configuration that was proven on the spot."""
