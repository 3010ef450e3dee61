"""Recommendations of parameters are made again by whoever made them. Pure."""

from apps.routes import parameterledger
from apps.tuning import proposing, sequencing


def rerun(inputs: bytes) -> bytes:
    """Make a recommended parameter again from its stored inputs."""
    if proposing.is_ours(inputs):
        return proposing.rerun_service(inputs)
    if sequencing.is_ours(inputs):
        return sequencing.rerun_sequence(inputs)
    return parameterledger.rerun(inputs)


def engine_versions() -> dict[str, frozenset[str]]:
    """Say by engine which versions' proposals can be made again."""
    return {
        proposing.ENGINE: frozenset({proposing.ENGINE_VERSION}),
        parameterledger.ENGINE: frozenset({parameterledger.ENGINE_VERSION}),
    }
