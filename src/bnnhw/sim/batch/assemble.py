"""A netlist as a program of the bit-parallel engine: gates without redundancy, in an order of evaluation.

Tests: tests/sim/batch/test_simulator.py
"""

from collections.abc import Iterable, Iterator

import numpy as np

from bnnhw.hw.rtlil import collector_paused
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.netlist.cells import emit_cell
from bnnhw.sim.netlist.families import GATES, PARTS
from bnnhw.sim.netlist.fold import SOURCE, GateGraph
from bnnhw.sim.netlist.gates import MUX, NOT, Cell, Gates
from bnnhw.sim.netlist.netlist import Netlist

from .program import Memory, Program, ReadPort, WritePort

__all__ = ["compile_netlist"]


@collector_paused()
def compile_netlist(netlist: Netlist, *, keep_signals: bool = False) -> Program:
    """The program of a netlist with one clock, whose rising edge moves every flip-flop and memory.

    `keep_signals` keeps every named wire, also where no output depends on it.

    Raises
    ------
    SimulationError
        For a cell without a model, a second clock, a falling edge, or a combinational loop.
    """
    return _Compiler(netlist).compile(keep_signals=keep_signals)


class _Compiler:
    """Bits are the netlist's, nodes those of the gate graph, nets the program's."""

    def __init__(self, netlist: Netlist):
        self.netlist = netlist
        self.graph = GateGraph()
        self.node: dict[int, int] = {0: 0, 1: 1}  # of a bit
        self.data: dict[int, tuple[int, int]] = {}  # bit -> read port and the index in its data
        self.gates = Gates(next_bit=self._first_free_bit())
        self.clock: int | None = None
        self.flip_flops: list[tuple[int, int, int]] = []  # node of the state, bit of the next state, initial value
        self.memories: list[Memory] = []
        self.reads: list[tuple[int, list[int], int]] = []  # memory, bits of the address, width
        self.read_nodes: dict[int, tuple[list[int], list[int]]] = {}  # nodes of a read port's address and data
        self.writes: list[tuple[int, list[int], list[int], list[int]]] = []

    def _first_free_bit(self) -> int:
        bits = (bit for cell in self.netlist.cells for port in cell.ports.values() for bit in port)
        ports = (bit for port in self.netlist.inputs.values() for bit in port)
        return max(1, *bits, *ports) + 1

    def compile(self, *, keep_signals: bool) -> Program:
        netlist = self.netlist
        inputs = {name: [self._source(bit) for bit in bits] for name, bits in netlist.inputs.items()}
        for cell in netlist.cells:
            self._add_cell(cell)
        self.driver = {gate[0]: gate for gate in self.gates.gates}
        outputs = {name: self._resolve(bits) for name, bits in netlist.outputs.items()}
        following = self._resolve([bit for _, bit, _ in self.flip_flops])
        writes = [(memory, *(self._resolve(bits) for bits in ports)) for memory, *ports in self.writes]
        if keep_signals:
            signals = {name: self._resolve(bits) for name, bits in netlist.signals.items()}
        else:
            signals = {
                name: [self.node[bit] for bit in bits]
                for name, bits in netlist.signals.items()
                if all(bit in self.node for bit in bits)
            }
        roots = [*following, *(node for bits in outputs.values() for node in bits)]
        roots += [node for _, *ports in writes for nodes in ports for node in nodes]
        if keep_signals:
            roots += [node for nodes in signals.values() for node in nodes]
        net, gates, steps, first_gate = self._order(inputs, roots)

        def place(nodes: Iterable[int]) -> list[int]:
            return [net[node] for node in nodes]

        return Program(
            first_flip_flop=2 + sum(map(len, inputs.values())),
            first_gate=first_gate,
            gates=gates,
            steps=steps,
            next=np.array(place(following), np.int32),
            reset=np.array([value for _, _, value in self.flip_flops], np.uint8),
            memories=self.memories,
            reads=[
                ReadPort(self.reads[port][0], place(address), net[data[0]])
                for port, (address, data) in self.read_nodes.items()
            ],
            writes=[WritePort(memory, *(place(nodes) for nodes in ports)) for memory, *ports in writes],
            inputs={name: place(nodes) for name, nodes in inputs.items()},
            outputs={name: place(nodes) for name, nodes in outputs.items()},
            signals={name: place(nodes) for name, nodes in signals.items() if all(node in net for node in nodes)},
        )

    def _add_cell(self, cell: Cell) -> None:
        match cell.type:
            case "$dff" | "$adff":
                self._add_flip_flops(cell)
            case "$mem_v2":
                self._add_memory(cell)
            case kind if kind in PARTS:
                for part in PARTS[kind](cell, self.gates.new_bit):
                    self._add_cell(part)
            case kind if kind in GATES:
                GATES[kind](self.gates, cell)
            case _:
                emit_cell(self.gates, cell)

    def _source(self, bit: int) -> int:
        self.node[bit] = self.graph.source()
        return self.node[bit]

    def _check_clock(self, cell: Cell, clock: int, polarity: int) -> None:
        if not polarity:
            raise SimulationError(f"{cell.name} is clocked by a falling edge; only rising edges can be simulated")
        if self.clock is None:
            self.clock = clock
        elif clock != self.clock:
            names = [self._name(bit) for bit in (self.clock, clock)]
            raise SimulationError(f"{cell.name} is clocked by {names[1]}, others by {names[0]}; one clock is allowed")

    def _name(self, bit: int) -> str:
        for name, bits in self.netlist.signals.items():
            if bit in bits:
                return name if len(bits) == 1 else f"{name}[{bits.index(bit)}]"
        return f"net {bit}"

    def _add_flip_flops(self, cell: Cell) -> None:
        clock = cell.ports["CLK"][0]
        initial = [self.netlist.initial.get(bit, 0) for bit in cell.ports["Q"]]
        if clock <= 1:  # it never moves
            for bit, value in zip(cell.ports["Q"], initial, strict=True):
                self.node[bit] = value
            return
        self._check_clock(cell, clock, cell.parameters["CLK_POLARITY"])
        for n, (d, q, value) in enumerate(zip(cell.ports["D"], cell.ports["Q"], initial, strict=True)):
            if cell.type == "$adff":  # at the level of cycles: a reset that also hides the state
                forced = cell.parameters["ARST_VALUE"] >> n & 1
                reset = cell.ports["ARST"][0]
                if not cell.parameters["ARST_POLARITY"]:
                    reset = self.gates.add(NOT, reset)
                state = self.gates.new_bit()
                self.gates.add(MUX, state, forced, reset, q)
                d = self.gates.add(MUX, d, forced, reset)
                q = state
            self.flip_flops.append((self._source(q), d, value))

    def _add_memory(self, cell: Cell) -> None:
        ports, parameters = cell.ports, cell.parameters
        width, abits = parameters["WIDTH"], parameters["ABITS"]
        depth = parameters["OFFSET"] + parameters["SIZE"]
        size = depth * width
        packed = (parameters["INIT"] << parameters["OFFSET"] * width).to_bytes((size + 7) // 8, "little")
        bits = np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little", count=size).reshape(depth, width)
        padded = np.zeros((depth, (width + 63) // 64 * 64), np.uint8)
        padded[:, :width] = bits
        rows = np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)
        memory = len(self.memories)

        def part(port: str, n: int, count: int) -> list[int]:
            return ports[port][n * count : (n + 1) * count]

        for n in range(parameters["WR_PORTS"]):
            enable = part("WR_EN", n, width)
            if any(enable):
                self._check_clock(cell, ports["WR_CLK"][n], parameters["WR_CLK_POLARITY"] >> n & 1)
                self.writes.append((memory, part("WR_ADDR", n, abits), part("WR_DATA", n, width), enable))
        self.memories.append(Memory(width, rows, any(write[0] == memory for write in self.writes)))
        for n in range(parameters["RD_PORTS"]):
            for index, bit in enumerate(part("RD_DATA", n, width)):
                self.data[bit] = len(self.reads), index
            self.reads.append((memory, part("RD_ADDR", n, abits), width))

    def _needs(self, bit: int) -> list[int]:
        if bit in self.driver:
            return list(self.driver[bit][2:])
        if bit in self.data:
            return self.reads[self.data[bit][0]][1]
        return []

    def _resolve(self, bits: list[int]) -> list[int]:
        """The nodes of bits, after those of all that they depend on."""
        node = self.node
        for root in bits:
            if root in node:
                continue
            pending: dict[int, Iterator[int]] = {root: iter(self._needs(root))}
            while pending:
                bit = next(reversed(pending))
                need = next((need for need in pending[bit] if need not in node), None)
                if need is None:
                    del pending[bit]
                    node[bit] = self._make(bit)
                elif need in pending:
                    loop = [*pending][[*pending].index(need) :]
                    names = sorted({self._name(bit) for bit in loop} - {f"net {bit}" for bit in loop})
                    raise SimulationError(f"combinational loop through {', '.join(names) or 'unnamed nets'}")
                else:
                    pending[need] = iter(self._needs(need))
        return [node[bit] for bit in bits]

    def _make(self, bit: int) -> int:
        if bit in self.driver:
            _, table, a, b, c = self.driver[bit]
            return self.graph.gate(table, self.node[a], self.node[b], self.node[c])
        if bit in self.data:
            port, index = self.data[bit]
            if port not in self.read_nodes:
                _, address, width = self.reads[port]
                data = [self.graph.source() for _ in range(width)]
                self.read_nodes[port] = [self.node[need] for need in address], data
            return self.read_nodes[port][1][index]
        return 0  # nothing drives it

    def _order(
        self, inputs: dict[str, list[int]], roots: list[int]
    ) -> tuple[dict[int, int], np.ndarray, np.ndarray, int]:
        """The net of each node, the gates, the steps and the first gate's net."""
        nodes = self.graph.nodes
        port_of = {node: n for n, (_, data) in enumerate(self.read_nodes.values()) for node in data}
        addresses = [address for address, _ in self.read_nodes.values()]
        alive = bytearray(len(nodes))
        for node in roots:
            alive[node] = 1
        for node in range(len(nodes) - 1, 1, -1):
            if alive[node]:
                for need in addresses[port_of[node]] if node in port_of else nodes[node][1:]:
                    alive[need] = 1
        level = [0] * len(nodes)
        for node in range(2, len(nodes)):
            if node in port_of:
                level[node] = 1 + max((level[need] for need in addresses[port_of[node]]), default=0)
            elif nodes[node][0] != SOURCE:
                _, a, b, c = nodes[node]
                level[node] = 1 + max(level[a], level[b], level[c])
        net = {0: 0, 1: 1}
        states = [state for state, _, _ in self.flip_flops]
        for node in [*(n for bits in inputs.values() for n in bits), *states, *port_of]:
            net.setdefault(node, len(net))
        first_gate = len(net)
        order = [(level[n], nodes[n][0], n) for n in range(2, len(nodes)) if alive[n] and nodes[n][0] != SOURCE]
        order.sort()
        for _, _, node in order:
            net[node] = len(net)
        gates = np.array([[net[need] for need in nodes[node][1:]] for _, _, node in order], np.int32).reshape(-1, 3)
        # Reads come before the gates of their level.
        steps = [((level[data[0]], -1), (1, n, 0, 0)) for n, (_, data) in enumerate(self.read_nodes.values())]
        starts = [n for n in range(len(order)) if n == 0 or order[n][:2] != order[n - 1][:2]]
        for start, end in zip(starts, [*starts, len(order)][1:], strict=True):
            steps.append((order[start][:2], (0, order[start][1], start, end - start)))
        steps.sort()
        return net, gates, np.array([step for _, step in steps], np.int32).reshape(-1, 4), first_gate
