"""Bytes over USB at full speed: a device of two bulk endpoints, by luna, which is imported where hardware is made."""
