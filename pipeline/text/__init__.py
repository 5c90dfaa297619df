"""Text as the whole project reads it: words, sentences, languages."""
