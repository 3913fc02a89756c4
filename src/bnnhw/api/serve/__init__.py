"""An HTTP endpoint for a board."""
