"""What readers do with files that nobody should have made."""
