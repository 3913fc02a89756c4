"""Bytes over USB: devices of two bulk endpoints, by luna, which is imported where hardware is made."""
