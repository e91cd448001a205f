"""The way to the district: MQTT 5, receipts, commands."""
