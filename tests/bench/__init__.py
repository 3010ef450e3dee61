"""Benchmarks: `python3 manage.py bench NAME`; not part of the suite."""
