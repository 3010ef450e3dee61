from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routes.solver.codec import (
    SolveRequest,
    decode_problem,
    decode_request,
    decode_solution,
    encode_problem,
    encode_request,
    encode_solution,
    inputs_hash,
)
from apps.routes.solver.greedy import GreedySolver
from apps.routes.solver.port import Stop
from tests.routes.solver.instances import random_problem

STOP = Stop(solutions=2)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_codec_round_trip(seed: int) -> None:
    problem = random_problem(seed)
    solution = GreedySolver().solve(problem, stop=STOP, seed=seed)
    request = SolveRequest(
        problem=problem, engine="greedy", stop=STOP, seed=seed, warm_start=solution
    )

    assert decode_problem(encode_problem(problem)) == problem
    assert decode_solution(encode_solution(solution)) == solution
    assert decode_request(encode_request(request)) == request
    assert encode_problem(decode_problem(encode_problem(problem))) == encode_problem(
        problem
    )


def test_decode_problem_refuses_another_shape() -> None:
    with pytest.raises(ValueError, match="missing required field"):
        decode_problem(b"{}")


def test_inputs_hash_changes_with_every_input() -> None:
    problem = random_problem(1)
    solution = GreedySolver().solve(problem, stop=STOP, seed=1)
    later = replace(problem, origin_at="2026-01-06T00:00:00+00:00")

    hashes = [
        inputs_hash(problem, stop=STOP, seed=1, engine="greedy"),
        inputs_hash(later, stop=STOP, seed=1, engine="greedy"),
        inputs_hash(problem, stop=Stop(solutions=3), seed=1, engine="greedy"),
        inputs_hash(problem, stop=STOP, seed=2, engine="greedy"),
        inputs_hash(problem, stop=STOP, seed=1, engine="ortools"),
        inputs_hash(problem, stop=STOP, seed=1, engine="greedy", warm_start=solution),
    ]

    assert len(set(hashes)) == len(hashes)
    assert hashes[0] == inputs_hash(
        decode_problem(encode_problem(problem)), stop=STOP, seed=1, engine="greedy"
    )
