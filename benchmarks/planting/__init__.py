"""Plant defects of each kind at known places of clean corpora.

What is planted is written out here, and no module of the audit is imported: what finds a defect
must not have helped to make it.
"""
