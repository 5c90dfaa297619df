"""What people read: explanations of rows, cards, figures."""
