"""Order and address files, read: pure rules, without Django's tables."""
