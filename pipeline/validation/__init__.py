"""Validation: whether a build is what its record types say, and like the last accepted one."""
