"""What a sliding window and a pooling unit occupy on an ECP5, counted from their structure before synthesis."""
