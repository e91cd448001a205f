"""The school's eyes: cameras, recordings, retention. The alarm service never imports it."""
