// The other end of a UART. writes.hex holds words of 32 bits: the kind in the top byte, its value below.
`timescale 1ps / 1ps
module bench;
    localparam BYTE = 0, PAUSE = 1, BREAK = 2, END = 3;  // a byte; a number of bit times with the line high or low
    localparam PERIOD = 10000;
    reg clk = 0, rst = 1, rx = 1;
    wire tx;
    top dut (.clk(clk), .rst(rst), .rx(rx), .tx(tx));
    always #(PERIOD / 2) clk = ~clk;

    integer cycles_per_bit, mismatch, silence, position, bit_index, quiet = 0, cycle = 0;
    real sent_bit, received_bit;  // in ps
    reg [31:0] writes[0:65535];
    reg [7:0] received;
    reg done = 0;

    initial begin
        if (!$value$plusargs("cycles_per_bit=%d", cycles_per_bit)) $fatal;
        if (!$value$plusargs("mismatch=%d", mismatch)) $fatal;  // in thousandths
        if (!$value$plusargs("silence=%d", silence)) $fatal;
        received_bit = 1.0 * PERIOD * cycles_per_bit;
        sent_bit = received_bit * 1000.0 / (1000.0 + mismatch);
        $readmemh("writes.hex", writes);
        repeat (4) @(posedge clk);
        #1 rst = 0;
        repeat (8) @(posedge clk);
        for (position = 0; writes[position][31:24] != END; position = position + 1)
            case (writes[position][31:24])
                BYTE: begin
                    rx = 0;
                    #(sent_bit);
                    for (bit_index = 0; bit_index < 8; bit_index = bit_index + 1) begin
                        rx = writes[position][bit_index];
                        #(sent_bit);
                    end
                    rx = 1;
                    #(sent_bit);
                end
                PAUSE: #(sent_bit * writes[position][23:0]);
                BREAK: begin
                    rx = 0;
                    #(sent_bit * writes[position][23:0]);
                    rx = 1;
                    #(sent_bit * 2);
                end
                default: $fatal;
            endcase
        done = 1;
    end

    always @(posedge clk) begin
        cycle = cycle + 1;
        quiet = done && tx ? quiet + 1 : 0;
        if (quiet == silence * cycles_per_bit) $finish;
    end

    always @(negedge tx) if (!rst) begin
        #(received_bit * 1.5);
        for (integer index = 0; index < 8; index = index + 1) begin
            received[index] = tx;
            #(received_bit);
        end
        $display("%h %0d%s", received, cycle, tx ? "" : " low");
    end
endmodule
