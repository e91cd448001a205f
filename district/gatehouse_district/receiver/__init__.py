"""Receives what gateways say, has it on disk before it says so, and knows what it means."""
