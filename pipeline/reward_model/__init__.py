"""Reward models: which of two responses people prefer, learned from preference pairs."""
