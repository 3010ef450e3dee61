"""Learning: what past days teach, each figure with its count, spread and date."""
