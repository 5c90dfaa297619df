"""Study `student`: two-step students on real dialogues, and what they prefer and say."""
