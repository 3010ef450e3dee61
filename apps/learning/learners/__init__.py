"""What learns: pure, of sums that events are added to; no Django."""
