// The ports of the iCE40's block RAM; sb_ram40.v says what it does.
(* blackbox *)
module SB_RAM40_4K (
    output [15:0] RDATA,
    input RCLK, RCLKE, RE, WCLK, WCLKE, WE,
    input [10:0] RADDR, WADDR,
    input [15:0] MASK, WDATA
);
    parameter READ_MODE = 0, WRITE_MODE = 0;
    parameter [255:0] INIT_0 = 0, INIT_1 = 0, INIT_2 = 0, INIT_3 = 0, INIT_4 = 0, INIT_5 = 0, INIT_6 = 0, INIT_7 = 0,
        INIT_8 = 0, INIT_9 = 0, INIT_A = 0, INIT_B = 0, INIT_C = 0, INIT_D = 0, INIT_E = 0, INIT_F = 0;
endmodule
