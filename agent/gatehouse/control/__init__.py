"""The local socket: server in the alarm service, client for the video service and the commands."""
