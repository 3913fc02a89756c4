// The ECP5's pads, each but the last one used in one direction only, and the registers beside them.
module TRELLIS_IO (inout B, input I, T, IOLDO, IOLTO, output O);
    parameter DIR = "INPUT", DATAMUX_ODDR = "PADDO", DATAMUX_MDDR = "PADDO";
    generate
        if (DIR == "INPUT") assign O = B;
        else assign B = I;
    endgenerate
endmodule

module IB (input I, output O);
    assign O = I;
endmodule

module OB (input I, output O);
    assign O = I;
endmodule

module OBZ (input I, T, output O);
    assign O = I;
endmodule

module IFS1P3DX (input CD, D, SP, SCLK, output reg Q);
    initial Q = 0;
    always @(posedge SCLK) if (SP) Q <= D;
endmodule

module OFS1P3DX (input CD, D, SP, SCLK, output reg Q);
    initial Q = 0;
    always @(posedge SCLK) if (SP) Q <= D;
endmodule

module BB (input I, T, output O, inout B);
    assign B = T ? 1'bz : I;
    assign O = B;
endmodule
