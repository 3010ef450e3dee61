"""The pages of the anonymous door."""
