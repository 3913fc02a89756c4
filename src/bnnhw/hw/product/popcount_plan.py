"""How to count bits with few carry-chain positions: a tree of adders whose carry inputs take bits, too.

Tests: tests/hw/product/test_popcount.py
"""

from dataclasses import dataclass
from functools import cache

__all__ = ["Addition", "Popcount", "plan_popcount"]


@dataclass(frozen=True)
class _Node:
    """A sub-tree that counts `inputs` bits: the sum of two sub-trees and, where `carry`, one more bit.

    A tree of one bit is the bit itself, a tree of no bits 0; both have no adder. `positions` are those of the carry
    chain: as many as the wider operand has bits, and one that takes the carries in and out.
    """

    inputs: int
    left: "_Node | None" = None
    right: "_Node | None" = None
    carry: bool = False
    positions: int = 0
    depth: int = 0

    @property
    def width(self) -> int:
        return self.inputs.bit_length()


@cache
def _best_node(inputs: int) -> _Node:
    """The tree of `inputs` bits with the fewest positions, among those the least deep, among those the most even."""
    if inputs < 2:
        return _Node(inputs)
    best: tuple[tuple[int, int, int], _Node] | None = None
    carry = inputs > 2
    summed = inputs - carry
    full = [(1 << width) - 1 for width in range(1, summed.bit_length() + 1)]  # trees without a wasted position
    for left in sorted({(summed + 1) // 2, (summed + 2) // 2, *full}):
        right = summed - left
        if not 0 <= right <= left < inputs:
            continue
        a, b = _best_node(left), _best_node(right)
        depth = max(a.depth, b.depth) + 1
        positions = a.positions + b.positions + a.width + 1
        key = (positions, depth, left)
        if best is None or key < best[0]:
            best = key, _Node(inputs, a, b, carry, positions, depth)
    assert best is not None
    return best[1]


@dataclass(frozen=True)
class Addition:
    """One adder: its operands are adders (by number) or input bits (by index), its carry input an input bit.

    It adds in `cycle`, counted from the first inputs, behind `level` other adders of that cycle. Its sum waits in
    registers for `wait` cycles, none where its user adds in the same cycle.
    """

    operands: tuple[tuple[str, int], ...]
    carry: int | None
    operand_width: int  # of the first one, which is the wider
    width: int
    cycle: int
    level: int
    wait: int


@dataclass(frozen=True)
class Popcount:
    """A tree of adders, with registers after some of its levels.

    Attributes
    ----------
    inputs : int
        Bits that are counted.
    nodes : tuple of Addition
        The adders, operands before their users.
    latency : int
        Cycles from the inputs to the count.
    final_level : int
        Adders that the count has passed in its last cycle; 0 where it comes from registers.
    tap_starts : tuple of int
        Input bits tap_starts[d].. are needed d cycles after the first ones (the carry inputs of deeper adders); one
        entry for each d in 0..latency.
    positions : int
        Positions of carry chain: 2 to a CCU2C, each of the size of a LUT4.
    """

    inputs: int
    nodes: tuple[Addition, ...]
    latency: int
    final_level: int
    tap_starts: tuple[int, ...]
    positions: int

    @property
    def register_bits(self) -> int:
        """Flip-flops of the sums."""
        return sum(node.width * node.wait for node in self.nodes)

    @property
    def width(self) -> int:
        """Bits of the count."""
        return self.inputs.bit_length()


@cache
def plan_popcount(inputs: int, *, levels: int = 1, registered: bool = True) -> Popcount:
    """The popcount of `inputs` >= 0 bits with the fewest carry-chain positions.

    Registers stand after every `levels`-th level of the tree, and after the last one where `registered`. Without it the
    count may come from adders, for one more adder in the same cycle, whose inputs count as read after `latency` cycles.

    A tree of 2^k - 1 inputs wastes nothing: (2^(k-1) - 1) + (2^(k-1) - 1) + 1 carry input. It takes 2 positions for 3
    inputs, 88 for 63.

    >>> plan_popcount(63).positions, plan_popcount(63).latency, plan_popcount(63).register_bits
    (88, 5, 88)
    >>> plan_popcount(63, levels=2).latency, plan_popcount(63, levels=2).register_bits
    (3, 40)
    >>> plan_popcount(63, levels=2, registered=False).latency
    2
    """
    if inputs < 0:
        raise ValueError(f"inputs={inputs} must be at least 0")
    if levels < 1:
        raise ValueError(f"levels={levels} must be at least 1")
    root = _best_node(inputs)
    latency = (root.depth + (levels - 1) * registered) // levels

    def cycle(node: _Node) -> int:
        return (node.depth - 1) // levels

    # Inputs are numbered by the cycle that reads them, so that the ones to delay are a tail of the vector.
    readers: list[int] = []

    def leaves(node: _Node) -> None:
        if node.left is None or node.right is None:
            return
        readers.extend([cycle(node)] * (node.carry + (node.left.inputs == 1) + (node.right.inputs == 1)))
        leaves(node.left)
        leaves(node.right)

    leaves(root)
    starts = [sum(reader < delay for reader in readers) for delay in range(latency + 1)]
    free = [iter(range(start, inputs)) for start in starts]
    nodes: list[Addition] = []

    def build(node: _Node, read: int) -> tuple[str, int]:
        """Appends the adders of `node`, whose sum is read in the cycle `read`; the reference to that sum."""
        assert node.left is not None
        assert node.right is not None
        operands: list[tuple[str, int]] = []
        for child in (node.left, node.right):
            if child.inputs == 1:
                operands.append(("input", next(free[cycle(node)])))
            elif child.inputs > 1:
                operands.append(build(child, cycle(node)))
        nodes.append(
            Addition(
                operands=tuple(operands),
                carry=next(free[cycle(node)]) if node.carry else None,
                operand_width=node.left.width,
                width=node.width,
                cycle=cycle(node),
                level=(node.depth - 1) % levels,
                wait=read - cycle(node),
            )
        )
        return "sum", len(nodes) - 1

    if root.depth:
        build(root, latency)
    return Popcount(
        inputs=inputs,
        nodes=tuple(nodes),
        latency=latency,
        final_level=0 if registered else root.depth % levels,
        tap_starts=tuple(starts),
        positions=root.positions,
    )
