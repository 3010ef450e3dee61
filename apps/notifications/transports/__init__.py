"""The transports: one file a provider."""
