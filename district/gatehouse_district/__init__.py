"""The other end of the wire: what a district runs to receive, to show and to answer alarms."""
