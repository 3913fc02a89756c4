// An ECPIX-5's pins. The edges of the PHY's clock lie in the middle of its data.
`timescale 1ns / 1ps

module bench (input clk100, phy_clk, phy_ctl, input [3:0] phy_data, output tx_clk, tx_ctl, output [3:0] tx_data);
    top top (
        .clk100_0__io(clk100),
        .eth_rgmii_0__rx_clk__io(phy_clk), .eth_rgmii_0__rx_ctrl__io(phy_ctl), .eth_rgmii_0__rx_data__io(phy_data),
        .eth_rgmii_0__tx_clk__io(tx_clk), .eth_rgmii_0__tx_ctrl__io(tx_ctl), .eth_rgmii_0__tx_data__io(tx_data)
    );
endmodule
