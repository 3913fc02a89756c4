"""Max and sum poolings."""
