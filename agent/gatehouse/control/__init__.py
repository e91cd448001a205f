"""The local socket on which the services and commands speak."""
