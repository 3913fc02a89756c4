// A board's pins: the ECPIX-5's, or with OWN_DELAYS a Versa's, whose PHY takes its clock 2 ns late by itself. The edges
// of the clock that the PHY sends lie in the middle of its data; `broken`: what it gets changes within 1 ns of an edge.
`timescale 1ns / 1ps

module bench (input clk100, phy_clk, phy_ctl, input [3:0] phy_data, output tx_clk, tx_ctl, output [3:0] tx_data);
    wire clk_pad;
`ifdef OWN_DELAYS
    assign #2 tx_clk = clk_pad;
    top top (
        .clk100_0__p(clk100),
        .eth_rgmii_0__rx_clk__io(phy_clk), .eth_rgmii_0__rx_ctl__io(phy_ctl), .eth_rgmii_0__rx_data__io(phy_data),
        .eth_rgmii_0__tx_clk__io(clk_pad), .eth_rgmii_0__tx_ctl__io(tx_ctl), .eth_rgmii_0__tx_data__io(tx_data)
    );
`else
    assign tx_clk = clk_pad;
    top top (
        .clk100_0__io(clk100),
        .eth_rgmii_0__rx_clk__io(phy_clk), .eth_rgmii_0__rx_ctrl__io(phy_ctl), .eth_rgmii_0__rx_data__io(phy_data),
        .eth_rgmii_0__tx_clk__io(clk_pad), .eth_rgmii_0__tx_ctrl__io(tx_ctl), .eth_rgmii_0__tx_data__io(tx_data)
    );
`endif

    reg broken = 0;
    realtime changed = 0, clocked = 0;
    always @(tx_ctl, tx_data) begin
        changed = $realtime;
        if (changed - clocked < 1.0) broken = 1;
    end
    always @(tx_clk) begin
        clocked = $realtime;
        if (clocked - changed < 1.0) broken = 1;
    end
endmodule
