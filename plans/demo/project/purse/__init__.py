"""A small library for amounts of money."""
