// The parts of an ECP5 block RAM that bnnhw uses: port A writes, port B reads, both with output registers, in the
// shapes 512 x 36 (the data pins of both ports carry one word) down to 16384 x 1. Written from Lattice's memory usage
// guide (FPGA-TN-02204), independently of bnnhw.hw.block_ram.
module DP16KD (
    input DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8, DIA9, DIA10, DIA11, DIA12, DIA13, DIA14, DIA15, DIA16,
          DIA17, ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13,
          CEA, OCEA, CLKA, WEA, RSTA, CSA0, CSA1, CSA2,
          DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8, DIB9, DIB10, DIB11, DIB12, DIB13, DIB14, DIB15, DIB16,
          DIB17, ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13,
          CEB, OCEB, CLKB, WEB, RSTB, CSB0, CSB1, CSB2,
    output DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8, DOA9, DOA10, DOA11, DOA12, DOA13, DOA14, DOA15, DOA16,
           DOA17,
           DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8, DOB9, DOB10, DOB11, DOB12, DOB13, DOB14, DOB15, DOB16,
           DOB17
);
    parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
    parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG", RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC";
    parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000", WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
    parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB", GSR = "ENABLED";
    `INITVAL_PARAMETERS

    reg [8:0] cells [0:2047];
    wire [20479:0] init = {`INITVAL_LIST};
    integer i;
    initial begin
        #0;
        for (i = 0; i < 2048; i = i + 1)
            cells[i] = init[(i / 2) * 20 + (i % 2) * 9 +: 9];
    end

    wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
    wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
    wire [35:0] di = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3,
                      DIB2, DIB1, DIB0, DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6,
                      DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};

    always @(posedge CLKA)
        if (CEA && WEA)
            case (DATA_WIDTH_A)
                36: for (i = 0; i < 4; i = i + 1) if (ada[i]) cells[{ada[13:5], i[1:0]}] = di[9 * i +: 9];
                18: for (i = 0; i < 2; i = i + 1) if (ada[i]) cells[{ada[13:4], i[0]}] = di[9 * i +: 9];
                9: cells[ada[13:3]] = di[8:0];
                4: cells[ada[13:3]][4 * ada[2] +: 4] = di[3:0];
                2: cells[ada[13:3]][2 * ada[2:1] +: 2] = di[1:0];
                1: cells[ada[13:3]][ada[2:0]] = di[0];
            endcase

    reg [35:0] array, registered;
    always @(posedge CLKB) begin
        if (OCEB) registered <= array;
        if (CEB && !WEB)
            case (DATA_WIDTH_B)
                36: array <= {cells[{adb[13:5], 2'd3}], cells[{adb[13:5], 2'd2}], cells[{adb[13:5], 2'd1}],
                              cells[{adb[13:5], 2'd0}]};
                18: array <= {cells[{adb[13:4], 1'd1}], cells[{adb[13:4], 1'd0}], 18'bx};
                9: array <= {9'bx, cells[adb[13:3]], 18'bx};
                4: array <= {14'bx, cells[adb[13:3]][4 * adb[2] +: 4], 18'bx};
                2: array <= {16'bx, cells[adb[13:3]][2 * adb[2:1] +: 2], 18'bx};
                1: array <= {17'bx, cells[adb[13:3]][adb[2:0]], 18'bx};
            endcase
    end
    wire [35:0] out = REGMODE_B == "OUTREG" ? registered : array;
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2,
            DOB1, DOB0, DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4,
            DOA3, DOA2, DOA1, DOA0} = out;
endmodule
