// The ECP5's double-data-rate registers at the pads, edge by edge, and a delay of so many taps of 25 ps.
`timescale 1ns / 1ps

module IDDRX1F (input D, SCLK, RST, output reg Q0, Q1);
    reg rising = 0, falling = 0;
    initial {Q0, Q1} = 0;
    always @(negedge SCLK) falling <= D;
    always @(posedge SCLK) begin
        rising <= D;
        Q0 <= rising;
        Q1 <= falling;
    end
endmodule

module ODDRX1F (input SCLK, RST, D0, D1, output Q);
    reg high = 0, low = 0;
    always @(posedge SCLK) {high, low} <= {D0, D1};
    assign Q = SCLK ? high : low;
endmodule

module DELAYG (input A, output Z);
    parameter DEL_MODE = "", DEL_VALUE = 0;
    assign #(DEL_VALUE * 0.025) Z = A;
endmodule
