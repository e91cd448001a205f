"""What was kept around an alarm: bundles, their manifests, and proving that nothing changed."""
