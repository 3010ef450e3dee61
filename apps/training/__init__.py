"""Training: a made town, a simulated fleet."""
