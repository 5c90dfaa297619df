"""The audit: find what is wrong with a dialogue dataset before anyone trains on it.

A detector is a function of an `AuditTable` and `AuditSettings`; to add one: a function
and a line in the `DETECTORS` of its module, and a defect planted for it in the benchmarks.
"""
