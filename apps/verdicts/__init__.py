"""Who was right: the recommended and the chosen way replayed on what really happened."""
