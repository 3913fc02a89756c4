"""How to count bits with few carry-chain positions: a tree of adders whose carry inputs take bits, too."""

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
class Popcount:
    """A tree of adders, each followed by a register, in the order in which they are built.

    Attributes
    ----------
    inputs : int
        Bits that are counted.
    nodes : tuple
        The adders, operands before their users.
    latency : int
        Cycles from the inputs to the count: the depth of the tree.
    tap_starts : tuple of int
        Input bits tap_starts[d].. are needed d cycles after the first ones (the carry inputs of deeper adders); one
        entry for each d in 0..latency-1.
    positions : int
        Positions of carry chain: 2 to a CCU2C, each of the size of a LUT4.
    """

    inputs: int
    nodes: tuple["Addition", ...]
    latency: int
    tap_starts: tuple[int, ...]
    positions: int

    @property
    def register_bits(self) -> int:
        """Flip-flops of the sums, and of those that wait for the other operand."""
        bits = sum(node.width for node in self.nodes)
        for node in self.nodes:
            waiting = [self.nodes[index] for kind, index in node.operands if kind == "sum"]
            bits += sum(operand.width * (node.stage - 1 - operand.stage) for operand in waiting)
        return bits

    @property
    def width(self) -> int:
        """Bits of the count."""
        return self.inputs.bit_length()


@dataclass(frozen=True)
class Addition:
    """One adder: its operands are adders (by number) or input bits (by index), its carry input an input bit."""

    operands: tuple[tuple[str, int], ...]
    carry: int | None
    operand_width: int  # of the first one, which is the wider
    width: int
    stage: int  # the cycle after which the sum stands in its register


@cache
def plan_popcount(inputs: int) -> Popcount:
    """The popcount of `inputs` >= 0 bits with the fewest carry-chain positions.

    A tree of 2^k - 1 inputs wastes nothing: (2^(k-1) - 1) + (2^(k-1) - 1) + 1 carry input. It takes 2 positions for 3
    inputs, 88 for 63.

    >>> plan_popcount(63).positions, plan_popcount(63).latency
    (88, 5)
    """
    if inputs < 0:
        raise ValueError(f"inputs={inputs} must be at least 0")
    root = _best_node(inputs)
    # Inputs are numbered by the stage that reads them, so that the ones to delay are a tail of the vector.
    readers: list[int] = []

    def leaves(node: _Node) -> None:
        if node.left is None or node.right is None:
            return
        readers.extend([node.depth - 1] * (node.carry + (node.left.inputs == 1) + (node.right.inputs == 1)))
        leaves(node.left)
        leaves(node.right)

    leaves(root)
    starts = [sum(reader < delay for reader in readers) for delay in range(root.depth + 1)]
    free = [iter(range(start, inputs)) for start in starts]
    nodes: list[Addition] = []

    def build(node: _Node) -> tuple[str, int] | None:
        """Appends the adders of `node`; the reference to its sum, None for 0."""
        assert node.left is not None
        assert node.right is not None
        operands = []
        for child in (node.left, node.right):
            if child.inputs == 1:
                operands.append(("input", next(free[node.depth - 1])))
            elif child.inputs > 1:
                operands.append(build(child))
        carry = next(free[node.depth - 1]) if node.carry else None
        nodes.append(Addition(tuple(operands), carry, node.left.width, node.width, node.depth))
        return "sum", len(nodes) - 1

    if root.depth:
        build(root)
    return Popcount(inputs, tuple(nodes), root.depth, tuple(starts[: root.depth]), root.positions)
