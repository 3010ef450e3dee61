"""Orders: what must be delivered, where, and when."""
