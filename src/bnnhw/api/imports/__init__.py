"""Networks that come from elsewhere."""
