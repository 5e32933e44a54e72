"""Pure functions from Arrow and NumPy to records: no store, no clock, no plots."""
