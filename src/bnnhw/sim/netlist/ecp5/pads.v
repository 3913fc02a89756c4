// The ECP5's pads, each used in one direction only.
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
