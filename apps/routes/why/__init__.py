"""Explanations for people: why a plan is as it is, in plain words, from its stored inputs."""
