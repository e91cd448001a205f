"""The video service: watches cameras, follows their recordings, and tells the alarm service."""
