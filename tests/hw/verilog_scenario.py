"""`run_scenario` for components of ECP5 primitives, in Icarus Verilog over models of the primitives."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amaranth.back import rtlil
from amaranth.lib import wiring

from bnnhw.boards.toolchain.synthesis import run_yosys
from bnnhw.sim.netlist.families import VERILOG

from .scenario import Trace

_BENCH = """
module bench;
    reg clk = 0, rst = 1;
    reg i_valid = 0, o_ready = 0;
    wire i_ready, o_valid;
    reg [{i_width}-1:0] i_payload;
    wire [{o_width}-1:0] o_payload;
    top dut(.clk(clk), .rst(rst), .i__valid(i_valid), .i__ready(i_ready), .i__payload(i_payload),
            .o__valid(o_valid), .o__ready(o_ready), .o__payload(o_payload));
    reg [{i_width}-1:0] beats [0:{beats}-1];
    integer cycle = 0, sent = 0, received = 0, seed = {seed};
    initial begin
        $readmemh("beats.hex", beats);
        @(posedge clk) #1 rst = 0;
    end
    always #5 clk = ~clk;
    always @(posedge clk) if (!rst) begin
        if (i_valid && i_ready) begin $display("in %0d", cycle); sent = sent + 1; end
        if (o_valid && o_ready) begin $display("out %0d %h", cycle, o_payload); received = received + 1; end
        cycle = cycle + 1;
        if (cycle == {limit} || (sent == {beats} && received >= {outputs})) begin
            repeat (24) @(posedge clk) if (o_valid) $display("out %0d %h", cycle, o_payload);
            $finish;
        end
    end
    always @(negedge clk) if (!rst) begin
        if (!(i_valid && !i_taken)) begin
            i_valid = sent < {beats} && $unsigned($random(seed)) % 100 >= {stall_in};
            i_payload = i_valid ? beats[sent] : {{{i_width}{{1'bx}}}};
        end
        o_ready = $unsigned($random(seed)) % 100 >= {stall_out};
    end
    reg i_taken = 1;
    always @(posedge clk) i_taken <= i_ready;
endmodule
"""


def to_verilog(dut: wiring.Component, folder: Path) -> Path:
    """`dut` as a Verilog file of a module `top`, with the primitives' models beside it."""
    (folder / "dut.il").write_text(rtlil.convert(dut, name="top", emit_src=False))
    commands = ["read_rtlil dut.il", "proc", "write_verilog -noattr dut.v"]
    run_yosys(commands, cwd=folder, log=folder / "yosys.log")
    cells = yosys_cells("ccu2c_sim.vh", "CCU2C") + yosys_cells("common_sim.vh", "LUT4", "LUT2")
    (folder / "models.v").write_text("".join(path.read_text() for path in VERILOG) + cells)
    return folder / "dut.v"


def yosys_cells(file: str, *modules: str) -> str:
    """Yosys' own simulation models of ECP5 cells, without their timing."""
    import pyosys

    text = (Path(pyosys.__file__).parent / "share" / "lattice" / file).read_text()
    found = []
    for module in modules:
        begin = min(position for end in "(#" if (position := text.find(f"module {module}{end}")) >= 0)
        body = text[begin : text.index("endmodule", begin)]
        while "specify" in body:
            body = body[: body.index("specify")] + body[body.index("endspecify") + len("endspecify") :]
        found.append(body + "endmodule\n")
    return "\n".join(found)


def run_verilog_scenario(
    dut: Any,
    beats: Sequence[int],
    *,
    outputs: int,
    folder: Path,
    seed: int = 0,
    stalls: tuple[float, float] = (0.3, 0.3),
    limit: int = 20_000,
) -> Trace:
    """As `run_scenario`; cycles are counted from the reset."""
    to_verilog(dut, folder)
    (folder / "beats.hex").write_text("".join(f"{beat:x}\n" for beat in beats))
    (folder / "bench.v").write_text(
        _BENCH.format(
            i_width=len(dut.i.payload),
            o_width=len(dut.o.payload),
            beats=len(beats),
            outputs=outputs,
            seed=seed,
            limit=limit,
            stall_in=round(100 * stalls[0]),
            stall_out=round(100 * stalls[1]),
        )
    )
    subprocess.run(["iverilog", "-g2012", "-o", "bench", "bench.v", "dut.v", "models.v"], cwd=folder, check=True)
    output = subprocess.run(["vvp", "-n", "bench"], cwd=folder, check=True, capture_output=True, text=True).stdout
    trace = Trace([], [], [])
    for line in output.splitlines():
        kind, cycle, *value = line.split()
        if kind == "in":
            trace.input_cycles.append(int(cycle))
        elif kind == "out":
            trace.outputs.append(int(value[0], 16))
            trace.output_cycles.append(int(cycle))
    return trace
