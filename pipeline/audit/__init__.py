"""The audit: find what is wrong with a dialogue dataset before anyone trains on it.

A detector is a function of an `AuditTable` and `AuditSettings`; to add one: a file, a test, a
line in `detectors.BUILT_IN`.
"""
