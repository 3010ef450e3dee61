"""A reader of QR codes, of the picture alone: versions 1 to 8, bytes, no damage.

By ISO/IEC 18004: format bits, mask, placement, and the interleaving of blocks. It knows
nothing of the library that drew the picture, so that both prove each other.
"""

import re
from itertools import product

Modules = list[list[bool]]

BLOCKS = {
    # (version, level): the data codewords of each block
    **{(1, level): [n] for level, n in zip("LMQH", (19, 16, 13, 9), strict=True)},
    **{(2, level): [n] for level, n in zip("LMQH", (34, 28, 22, 16), strict=True)},
    (3, "L"): [55], (3, "M"): [44], (3, "Q"): [17] * 2, (3, "H"): [13] * 2,
    (4, "L"): [80], (4, "M"): [32] * 2, (4, "Q"): [24] * 2, (4, "H"): [9] * 4,
    (5, "L"): [108], (5, "M"): [43] * 2, (5, "Q"): [15] * 2 + [16] * 2,
    (5, "H"): [11] * 2 + [12] * 2,
    (6, "L"): [68] * 2, (6, "M"): [27] * 4, (6, "Q"): [19] * 4, (6, "H"): [15] * 4,
    (7, "L"): [78] * 2, (7, "M"): [31] * 4, (7, "Q"): [14] * 2 + [15] * 4,
    (7, "H"): [13] * 4 + [14],
    (8, "L"): [97] * 2, (8, "M"): [38] * 2 + [39] * 2, (8, "Q"): [18] * 4 + [19] * 2,
    (8, "H"): [14] * 4 + [15] * 2,
}  # fmt: skip
CENTRES = {1: [], 2: [6, 18], 3: [6, 22], 4: [6, 26], 5: [6, 30], 6: [6, 34],
           7: [6, 22, 38], 8: [6, 24, 42]}  # fmt: skip
LEVELS = {1: "L", 0: "M", 3: "Q", 2: "H"}
FORMAT_MASK = 0b101010000010010


def modules_of(svg: str) -> Modules:
    """Return the modules of a drawn code: its dark strokes, without the quiet zone.

    A stroke is `h` long, one module high, and `m` moves on; both from where it is.
    """
    path = re.search(r"""class=["']qrline["'][^>]* d=["']([^"']+)["']""", svg)
    if path is None:
        raise ValueError("There is no code in this picture.")
    dark: set[tuple[int, int]] = set()
    x = y = 0.0
    for step, numbers in re.findall(r"([Mmh])([-\d. ]+)", path[1]):
        by = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if step == "h":
            dark |= {(int(y), int(x) + k) for k in range(int(by[0]))}
            x += by[0]
        else:
            x, y = (by[0], by[1]) if step == "M" else (x + by[0], y + by[1])
    top, left = (min(place[axis] for place in dark) for axis in (0, 1))
    size = max(row for row, _ in dark) - top + 1
    return [
        [(top + row, left + column) in dark for column in range(size)]
        for row in range(size)
    ]


def read(modules: Modules) -> str:
    """Return what a code says; `modules` are its rows without the quiet zone, dark True.

    Raises:
        ValueError: it is none that this reader knows.
    """
    size = len(modules)
    version, odd = divmod(size - 17, 4)
    if odd or version not in CENTRES:
        raise ValueError(f"No code has {size} modules.")
    level, mask = _format(modules)
    taken = _taken(version, size)
    bits = [
        modules[row][column] != _is_masked(mask, row, column)
        for row, column in _way(size)
        if not taken[row][column]
    ]
    words = [_number(bits[at : at + 8]) for at in range(0, len(bits) - 7, 8)]
    return _text(_joined(words, BLOCKS[version, level]))


def _format(modules: Modules) -> tuple[str, int]:
    places = [(8, c) for c in (0, 1, 2, 3, 4, 5, 7, 8)] + [(7, 8)]
    places += [(row, 8) for row in (5, 4, 3, 2, 1, 0)]
    bits = _number([modules[row][column] for row, column in places]) ^ FORMAT_MASK
    return LEVELS[bits >> 13], bits >> 10 & 0b111


def _taken(version: int, size: int) -> Modules:
    """Return which modules hold no data: finders, timing, alignment, format, version."""
    taken = [[False] * size for _ in range(size)]

    def take(rows: range, columns: range) -> None:
        for row, column in product(rows, columns):
            taken[row][column] = True

    take(range(9), range(9))
    take(range(9), range(size - 8, size))
    take(range(size - 8, size), range(9))
    take(range(6, 7), range(size))
    take(range(size), range(6, 7))
    corners = {(6, 6), (6, size - 7), (size - 7, 6)}
    for row, column in product(CENTRES[version], repeat=2):
        if (row, column) not in corners:
            take(range(row - 2, row + 3), range(column - 2, column + 3))
    if version >= 7:
        take(range(6), range(size - 11, size - 8))
        take(range(size - 11, size - 8), range(6))
    return taken


def _way(size: int) -> list[tuple[int, int]]:
    """Return the modules as data runs: in pairs of columns, up and down, from the right."""
    way = []
    up = True
    for right in [*range(size - 1, 6, -2), *range(5, 0, -2)]:
        rows = range(size - 1, -1, -1) if up else range(size)
        way += [(row, column) for row in rows for column in (right, right - 1)]
        up = not up
    return way


def _is_masked(mask: int, i: int, j: int) -> bool:
    rules = (
        (i + j) % 2,
        i % 2,
        j % 3,
        (i + j) % 3,
        (i // 2 + j // 3) % 2,
        i * j % 2 + i * j % 3,
        (i * j % 2 + i * j % 3) % 2,
        ((i + j) % 2 + i * j % 3) % 2,
    )
    return rules[mask] == 0


def _joined(words: list[int], sizes: list[int]) -> list[int]:
    """Return the data of all blocks in their order; they come interleaved."""
    blocks: list[list[int]] = [[] for _ in sizes]
    stream = iter(words)
    for place in range(max(sizes)):
        for block, size in zip(blocks, sizes, strict=True):
            if place < size:
                block.append(next(stream))
    return [word for block in blocks for word in block]


def _text(words: list[int]) -> str:
    bits = [bool(word >> place & 1) for word in words for place in range(7, -1, -1)]
    if _number(bits[:4]) != 0b0100:
        raise ValueError("It does not hold bytes.")
    count = _number(bits[4:12])
    found = [_number(bits[at : at + 8]) for at in range(12, 12 + 8 * count, 8)]
    return bytes(found).decode()


def _number(bits: list[bool]) -> int:
    return int("".join("1" if bit else "0" for bit in bits), 2)
