// Parts of the ECP5's logic slices as yosys and nextpnr-ecp5 write them. The third, TRELLIS_COMB, is in slices.py.
module TRELLIS_FF (input CLK, LSR, CE, DI, M, output reg Q);
    parameter GSR = "ENABLED", CEMUX = "1", CLKMUX = "CLK", LSRMUX = "LSR", SRMODE = "LSR_OVER_CE";
    parameter REGSET = "RESET", LSRMODE = "LSR", SD = "1";
    wire clock = CLK ^ (CLKMUX == "INV");
    wire set_reset = LSR ^ (LSRMUX == "INV");
    wire enable = CEMUX == "1" ? 1'b1 : CEMUX == "0" ? 1'b0 : CE ^ (CEMUX == "INV");
    wire value = LSRMODE == "PRLD" ? M : REGSET == "SET";
    wire data = SD == "0" ? M : DI;
    initial Q = REGSET == "SET";
    generate
        if (SRMODE == "ASYNC") begin
            always @(posedge clock, posedge set_reset)
                if (set_reset) Q <= value;
                else if (enable) Q <= data;
        end else begin
            always @(posedge clock)
                if (set_reset) Q <= value;
                else if (enable) Q <= data;
        end
    endgenerate
endmodule

// The half slice through which the write port of distributed RAM is wired.
module TRELLIS_RAMW (
    input A0, B0, C0, D0, A1, B1, C1, D1,
    output WDO0, WDO1, WDO2, WDO3, WADO0, WADO1, WADO2, WADO3
);
    assign {WADO3, WADO2, WADO1, WADO0} = {A0, C0, B0, D0};
    assign {WDO3, WDO2, WDO1, WDO0} = {B1, D1, A1, C1};
endmodule
