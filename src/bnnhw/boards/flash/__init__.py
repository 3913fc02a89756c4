"""Bitstreams onto boards, and what may stand in the way."""
