"""The numbers the program promises, measured: ``python -m tests.benchmarks``."""
