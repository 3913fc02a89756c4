// The ECP5's clock cells at the level of cycles: one clock, without phase, that is locked from the start.
module EHXPLLL (
    input CLKI, CLKFB, PHASESEL1, PHASESEL0, PHASEDIR, PHASESTEP, PHASELOADREG, STDBY, PLLWAKESYNC, RST, ENCLKOP,
          ENCLKOS, ENCLKOS2, ENCLKOS3,
    output CLKOP, CLKOS, CLKOS2, CLKOS3, LOCK, INTLOCK, REFCLK, CLKINTFB
);
    parameter PLLRST_ENA = "", INTFB_WAKE = "", STDBY_ENABLE = "", DPHASE_SOURCE = "", FEEDBK_PATH = "";
    parameter OUTDIVIDER_MUXA = "", OUTDIVIDER_MUXB = "", OUTDIVIDER_MUXC = "", OUTDIVIDER_MUXD = "";
    parameter CLKOP_ENABLE = "", CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_DIV = 1, CLKOP_CPHASE = 0, CLKOP_FPHASE = 0;
    parameter CLKOS_ENABLE = "", CLKOS_DIV = 1, CLKOS_CPHASE = 0, CLKOS_FPHASE = 0;
    assign CLKOP = CLKI;
    assign CLKOS = CLKI;
    assign LOCK = 1;
endmodule

module DCCA (input CLKI, CE, output CLKO);
    assign CLKO = CLKI;
endmodule

// A pad that a clock leaves by, which stands still where there are only cycles.
module ODDRX1F (input SCLK, RST, D0, D1, output Q);
    assign Q = D0;
endmodule

// The flip-flop that Amaranth puts before the enable of such a pad.
module FD1S3AX (input CK, D, output reg Q);
    initial Q = 0;
    always @(posedge CK) Q <= D;
endmodule

// The pin of the configuration flash's clock, which no port leads to.
module USRMCLK (input USRMCLKI, USRMCLKTS);
endmodule
