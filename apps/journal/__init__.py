"""Journal: what happened, and what each device must hear."""
