"""A deterministic simulation of devices, office and faults around the real server.

One seed is one history. Nothing runs side by side: a scheduler chooses what happens
next, and may let another transaction come between two of a request's own.
"""
