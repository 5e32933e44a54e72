"""Does the product claim no more than it can? Planted effects, simulated cascades, a peer."""
