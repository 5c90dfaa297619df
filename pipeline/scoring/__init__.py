"""Classifiers of empathy from explicit features: fit, select, calibrate, save, predict."""
