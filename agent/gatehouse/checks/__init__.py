"""What can be checked on an installation: one file a check, over one small frame (frame.py)."""
