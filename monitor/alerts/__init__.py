"""Early warning: what is usual, what is out of the ordinary, and who is told of it."""
