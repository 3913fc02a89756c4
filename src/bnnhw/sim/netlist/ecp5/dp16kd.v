// The ECP5's block RAM of 18 kbit, as far as bnnhw and yosys use it: two ports of 1, 2, 4, 9 or 18 bits, or port A
// writing and port B reading 36. From Lattice's memory usage guide (FPGA-TN-02204).
//
// Words lie one after the other in cells of 9 bits; words below 9 bits leave out the ninth. An INITVAL holds 16 pieces of
// 18 bits, each in 20. The address counts single bits (8 to a cell); of a port of 18 or 36 bits the lowest address pins
// enable the writing of single cells. A word of 36 bits goes in through {DIB, DIA} and comes out at {DOB, DOA}. A
// synchronous reset blocks its port's write. Who reads what the other port writes in the same cycle gets the old word.
// The same in Python, for the bit-parallel simulator: block_ram.py.
module DP16KD (
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2,
          DIA1, DIA0,
    input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2,
          DIB1, DIB0,
    input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2,
           DOA1, DOA0,
    output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2,
           DOB1, DOB0
);
    parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
    parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
    parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC", GSR = "ENABLED";
    parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
    parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
    parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
    parameter [319:0] INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0, INITVAL_04 = 0, INITVAL_05 = 0,
        INITVAL_06 = 0, INITVAL_07 = 0, INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0, INITVAL_0B = 0, INITVAL_0C =
        0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0, INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13
        = 0, INITVAL_14 = 0, INITVAL_15 = 0, INITVAL_16 = 0, INITVAL_17 = 0, INITVAL_18 = 0, INITVAL_19 = 0,
        INITVAL_1A = 0, INITVAL_1B = 0, INITVAL_1C = 0, INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0, INITVAL_20 =
        0, INITVAL_21 = 0, INITVAL_22 = 0, INITVAL_23 = 0, INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27
        = 0, INITVAL_28 = 0, INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B = 0, INITVAL_2C = 0, INITVAL_2D = 0,
        INITVAL_2E = 0, INITVAL_2F = 0, INITVAL_30 = 0, INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0, INITVAL_34 =
        0, INITVAL_35 = 0, INITVAL_36 = 0, INITVAL_37 = 0, INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B
        = 0, INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0;

    wire [20479:0] initvals = {INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39,
        INITVAL_38, INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
        INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28, INITVAL_27,
        INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E,
        INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16, INITVAL_15,
        INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C,
        INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08, INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03,
        INITVAL_02, INITVAL_01, INITVAL_00};
    reg [8:0] cells [0:2047];
    integer n;
    initial begin
        #0;
        for (n = 0; n < 2048; n = n + 1) cells[n] = initvals[(n / 2) * 20 + (n % 2) * 9 +: 9];
    end

    function [35:0] fetch(input integer width, input [13:0] address);
        case (width)
            36: fetch = {cells[{address[13:5], 2'd3}], cells[{address[13:5], 2'd2}], cells[{address[13:5], 2'd1}],
                         cells[{address[13:5], 2'd0}]};
            18: fetch = {cells[{address[13:4], 1'd1}], cells[{address[13:4], 1'd0}]};
            9: fetch = cells[address[13:3]];
            4: fetch = cells[address[13:3]][4 * address[2] +: 4];
            2: fetch = cells[address[13:3]][2 * address[2:1] +: 2];
            default: fetch = cells[address[13:3]][address[2:0]];
        endcase
    endfunction

    task put(input integer width, input [13:0] address, input [35:0] data);
        integer k;
        case (width)
            36: for (k = 0; k < 4; k = k + 1) if (address[k]) cells[{address[13:5], k[1:0]}] <= data[9 * k +: 9];
            18: for (k = 0; k < 2; k = k + 1) if (address[k]) cells[{address[13:4], k[0]}] <= data[9 * k +: 9];
            9: cells[address[13:3]] <= data[8:0];
            4: cells[address[13:3]][4 * address[2] +: 4] <= data[3:0];
            2: cells[address[13:3]][2 * address[2:1] +: 2] <= data[1:0];
            default: cells[address[13:3]][address[2:0]] <= data[0];
        endcase
    endtask

    // What a port reads while it writes through.
    function [35:0] merge(input integer width, input [13:0] address, input [35:0] data);
        integer k;
        begin
            merge = data & ~(36'hfffffffff << width);
            if (width >= 18)
                for (k = 0; k < width / 9; k = k + 1)
                    if (!address[k]) merge[9 * k +: 9] = fetch(width, address) >> 9 * k;
        end
    endfunction

    wire [35:0] di_a = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
        DIB3, DIB2, DIB1, DIB0, DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
        DIA4, DIA3, DIA2, DIA1, DIA0};
    wire [13:0] ad_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
    wire clk_a = CLKA ^ (CLKAMUX == "INV");
    wire reset_a = RSTA && RESETMODE == "SYNC", clear_a = RSTA && RESETMODE == "ASYNC";
    wire enable_a = CEA && {CSA2, CSA1, CSA0} == {CSDECODE_A[16], CSDECODE_A[8], CSDECODE_A[0]};
    reg [35:0] latch_a = 0, register_a = 0;
    always @(posedge clk_a or posedge clear_a)
        if (clear_a) {latch_a, register_a} <= 0;
        else begin
            if (OCEA) register_a <= latch_a;
            if (enable_a) begin
                if (!WEA || WRITEMODE_A == "READBEFOREWRITE") latch_a <= fetch(DATA_WIDTH_A, ad_a);
                else if (WRITEMODE_A == "WRITETHROUGH") latch_a <= merge(DATA_WIDTH_A, ad_a, di_a);
            end
            if (reset_a) {latch_a, register_a} <= 0;
        end
    always @(posedge clk_a) if (enable_a && WEA && !reset_a) put(DATA_WIDTH_A, ad_a, di_a);
    wire [35:0] out_a = REGMODE_A == "OUTREG" ? register_a : latch_a;

    wire [35:0] di_b = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
        DIB3, DIB2, DIB1, DIB0};
    wire [13:0] ad_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
    wire clk_b = CLKB ^ (CLKBMUX == "INV");
    wire reset_b = RSTB && RESETMODE == "SYNC", clear_b = RSTB && RESETMODE == "ASYNC";
    wire enable_b = CEB && {CSB2, CSB1, CSB0} == {CSDECODE_B[16], CSDECODE_B[8], CSDECODE_B[0]};
    reg [35:0] latch_b = 0, register_b = 0;
    always @(posedge clk_b or posedge clear_b)
        if (clear_b) {latch_b, register_b} <= 0;
        else begin
            if (OCEB) register_b <= latch_b;
            if (enable_b) begin
                if (!WEB || WRITEMODE_B == "READBEFOREWRITE") latch_b <= fetch(DATA_WIDTH_B, ad_b);
                else if (WRITEMODE_B == "WRITETHROUGH") latch_b <= merge(DATA_WIDTH_B, ad_b, di_b);
            end
            if (reset_b) {latch_b, register_b} <= 0;
        end
    always @(posedge clk_b) if (enable_b && WEB && !reset_b) put(DATA_WIDTH_B, ad_b, di_b);
    wire [35:0] out_b = REGMODE_B == "OUTREG" ? register_b : latch_b;

    wire [17:0] low = DATA_WIDTH_B == 36 ? out_b[17:0] : DATA_WIDTH_A == 36 ? 18'd0 : out_a[17:0];
    wire [17:0] high = DATA_WIDTH_B == 36 ? out_b[35:18] : out_b[17:0];
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1,
            DOA0} = low;
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1,
            DOB0} = high;
endmodule
