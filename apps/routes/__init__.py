"""Routes: plans, routes, stops, and how they are made."""
