"""The protocol's invariants, asked after every step, by means of their own.

Nothing here asks the server's rules whether the server is right: states are folded
anew, owners are remembered, and the true time of every event is known.
"""
