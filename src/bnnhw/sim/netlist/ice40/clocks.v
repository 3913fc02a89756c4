// The iCE40's clock cells at the level of cycles: one clock, without phase, that is locked from the start and passes
// its gate.
module SB_PLL40_PAD (
    input PACKAGEPIN, EXTFEEDBACK, BYPASS, RESETB, LATCHINPUTVALUE, SDI, SCLK,
    input [7:0] DYNAMICDELAY,
    output PLLOUTCORE, PLLOUTGLOBAL, LOCK, SDO
);
    parameter FEEDBACK_PATH = "", DIVR = 0, DIVF = 0, DIVQ = 0, FILTER_RANGE = 0;
    assign PLLOUTCORE = PACKAGEPIN;
    assign PLLOUTGLOBAL = PACKAGEPIN;
    assign LOCK = 1;
endmodule

// The SB_LUT4 that a clock goes through: see the attribute in hw/targets/ice40/pll.py.
module CLOCK_GATE (input I0, I1, I2, I3, output O);
    parameter LUT_INIT = 0;
    assign O = I0;
endmodule
