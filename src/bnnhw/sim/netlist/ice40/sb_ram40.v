// The iCE40's block RAM of 4 kbit, one port that reads and one that writes. From Lattice's memory usage guide
// (FPGA-TN-02002).
//
// It has 256 rows of 16 bits, which the INIT parameters hold 16 by 16. In mode n a row holds 2^n words, whose bits
// alternate; the n address bits above the row's say which. A word's lowest bit is at pin 0, 0, 1 or 3, its next one 2^n
// pins on. A bit of MASK that is 1 keeps a bit of a row, in mode 0. Who reads what is written in the same cycle gets the
// old word. The same in Python, for the bit-parallel simulator: block_ram.py.
module SB_RAM40_4K (
    output [15:0] RDATA,
    input RCLK, RCLKE, RE, WCLK, WCLKE, WE,
    input [10:0] RADDR, WADDR,
    input [15:0] MASK, WDATA
);
    parameter READ_MODE = 0, WRITE_MODE = 0;
    parameter [255:0] INIT_0 = 0, INIT_1 = 0, INIT_2 = 0, INIT_3 = 0, INIT_4 = 0, INIT_5 = 0, INIT_6 = 0, INIT_7 = 0,
        INIT_8 = 0, INIT_9 = 0, INIT_A = 0, INIT_B = 0, INIT_C = 0, INIT_D = 0, INIT_E = 0, INIT_F = 0;
    wire [4095:0] init = {INIT_F, INIT_E, INIT_D, INIT_C, INIT_B, INIT_A, INIT_9, INIT_8, INIT_7, INIT_6, INIT_5, INIT_4,
        INIT_3, INIT_2, INIT_1, INIT_0};
    reg [15:0] rows [0:255];
    reg [15:0] data = 0;
    integer n;
    initial begin
        #0;
        for (n = 0; n < 256; n = n + 1) rows[n] = init[16 * n +: 16];
    end

    function integer pin(input integer mode, input integer bit_of_word);
        pin = bit_of_word * (1 << mode) + (mode == 3 ? 3 : mode == 2 ? 1 : 0);
    endfunction

    integer r, w;
    always @(posedge RCLK)
        if (RCLKE !== 0 && RE) begin
            data <= 0;
            for (r = 0; r < 16 >> READ_MODE; r = r + 1)
                data[pin(READ_MODE, r)] <= rows[RADDR[7:0]][r * (1 << READ_MODE) + (RADDR[10:8] & ((1 << READ_MODE) - 1))];
        end
    assign RDATA = data;

    always @(posedge WCLK)
        if (WCLKE !== 0 && WE)
            for (w = 0; w < 16 >> WRITE_MODE; w = w + 1)
                if (WRITE_MODE != 0 || MASK[w] !== 1)
                    rows[WADDR[7:0]][w * (1 << WRITE_MODE) + (WADDR[10:8] & ((1 << WRITE_MODE) - 1))]
                        <= WDATA[pin(WRITE_MODE, w)];
endmodule
