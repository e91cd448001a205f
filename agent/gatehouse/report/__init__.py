"""The inspector's page: what happened in a span of time, from the event log. Pure."""
