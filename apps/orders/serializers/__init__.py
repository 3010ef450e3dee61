"""The shape of orders and imports on the wire; they check shape and decide nothing."""
