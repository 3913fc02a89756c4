// The iCE40's pads, each used in one direction only.
module SB_IO (inout PACKAGE_PIN, input OUTPUT_ENABLE, D_OUT_0, output D_IN_0);
    parameter PIN_TYPE = 6'b0, PULLUP = 1'b0, IO_STANDARD = "SB_LVCMOS", NEG_TRIGGER = 1'b0;
    generate
        if (PIN_TYPE[5:2] == 0) assign D_IN_0 = PACKAGE_PIN;
        else assign PACKAGE_PIN = D_OUT_0;
    endgenerate
endmodule

module SB_GB_IO (inout PACKAGE_PIN, output GLOBAL_BUFFER_OUTPUT);
    parameter PIN_TYPE = 6'b0, PULLUP = 1'b0, IO_STANDARD = "SB_LVCMOS";
    assign GLOBAL_BUFFER_OUTPUT = PACKAGE_PIN;
endmodule
