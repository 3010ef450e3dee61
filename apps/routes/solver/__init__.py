"""The solver port: problems, solutions, engines, and the judge of them all."""
