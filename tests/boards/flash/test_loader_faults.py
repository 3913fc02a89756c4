import pytest

from bnnhw.boards.board import get_board
from bnnhw.boards.flash.loader_faults import explain

RIGHTS = "openFPGALoader may not use the ulx3s-85f: you have no right to its USB device; `bnnhw flash --udev` prints"
BUSY = "openFPGALoader cannot have the ulx3s-85f: another program holds it; close"
RESET = "openFPGALoader gets no sense out of the ulx3s-85f's USB, whose reset failed; unplug it"
ABSENT = "openFPGALoader finds no ulx3s-85f; connect and power it"
SILENT = "openFPGALoader finds the adapter of the ulx3s-85f, but no FPGA that it knows behind it; power the board"
OTHER = "openFPGALoader found another FPGA than the LFE5U-85F of the ulx3s-85f"
UNKNOWN = "openFPGALoader failed with exit code 1: "
GAVE_UP = "JTAG init failed with: unable to open ftdi device"


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("unable to open ftdi device: -4 (usb_open() failed)", RIGHTS),
        ("unable to open ftdi device: -4 (libusb_open() failed)", RIGHTS),
        ("libusb: error [get_usbfs_fd] libusb couldn't open USB device: LIBUSB_ERROR_ACCESS", RIGHTS),
        ("Couldn't open device. Check permissions for /dev/hidraw0", RIGHTS),
        ("open /dev/ttyUSB0: Permission denied", RIGHTS),
        ("inappropriate permissions on device! Operation not permitted", RIGHTS),
        ("Access denied (insufficient permissions)", RIGHTS),
        ("unable to open ftdi device: -5 (unable to claim usb device. Make sure the default FTDI driver ..)", BUSY),
        ("libusb_claim_interface failed: LIBUSB_ERROR_BUSY", BUSY),
        ("cmsisDAP: could not claim interface", BUSY),
        ("unable to open ftdi device: -6 (ftdi_usb_reset failed)", RESET),
        ("unable to open ftdi device: -7 (set baudrate failed)", RESET),
        ("Failed to reset iCE FTDI USB device.", RESET),
        ("fail to read data usb bulk read failed", RESET),
        ("LIBUSB_ERROR_TIMEOUT", RESET),
        ("unable to open ftdi device: -3 (device not found)", ABSENT),
        ("Cannot find JTAG cable.", ABSENT),
        ("Can't find iCE FTDI USB device (vendor_id 0x0403, device_id 0x6010 or 0x6014).", ABSENT),
        ("cmsisDAP: No CMSIS-DAP v1 device found", ABSENT),
        ("cmsisDAP: failed to find compatible CMSIS-DAP v2 device", ABSENT),
        ("iCELink open fail!", ABSENT),
        ("LIBUSB_ERROR_NO_DEVICE", ABSENT),
        ("Error: no device found", SILENT),
        ("Error: device 10e31913 not supported", SILENT),
        ("mismatch between target's idcode and bitstream idcode", OTHER),
        ("IDCODE: 0x0443050a does not match :(", OTHER),
        ("Error: CRC mismatch", UNKNOWN),
        ("write error: -1 instead of 7", UNKNOWN),
    ],
)
def test_each_fault_has_its_line(line: str, meaning: str) -> None:
    said = f"empty\n\x1b[31m{line}\x1b[0m\n{GAVE_UP}\n"
    message = explain(said, "openFPGALoader", get_board("ulx3s"), exit_code=1)
    assert message.startswith(meaning)
    assert f"openFPGALoader failed with exit code 1: {line}" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        (
            "dfu-util: No DFU capable USB device available",
            "finds no orangecrab-25f; hold its button while you plug it in",
        ),
        (
            "dfu-util: Cannot open DFU device 1209:5af0 found on devnum 9 (LIBUSB_ERROR_ACCESS)",
            "may not use the orangecrab-25f: you have no right to its USB device; `bnnhw flash --udev` prints",
        ),
    ],
)
def test_a_bootloader_has_to_be_started(line: str, meaning: str) -> None:
    message = explain(f"dfu-util 0.11\n{line}\n", "dfu-util", get_board("orangecrab"), exit_code=74)
    assert message.startswith(f"dfu-util {meaning}")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("Loading: 0%\nsomething failed\nABORT.", "something failed"),
        ("Loading: 0%\nBye.", "Bye."),
        ("", "no output"),
        (GAVE_UP, GAVE_UP),
    ],
)
def test_otherwise_the_first_error_is_quoted(said: str, line: str) -> None:
    assert explain(said, "ecpprog", get_board("ecp5-evn"), exit_code=2) == f"ecpprog failed with exit code 2: {line}"


@pytest.mark.parametrize(
    ("line", "hinted"),
    [
        ("unable to open ftdi device: -3 (device not found)", False),
        ("Cannot find JTAG cable.", True),
        ("Can't find iCE FTDI USB device (vendor_id 0x0403, device_id 0x6010 or 0x6014).", True),
        ("iCELink open fail!", True),
    ],
)
def test_loaders_that_take_missing_rights_for_a_missing_board(line: str, hinted: bool) -> None:
    said = explain(line, "fujprog", get_board("ulx3s"), exit_code=1)
    assert ("where you have no right to it: see `bnnhw flash --udev`" in said) == hinted


@pytest.mark.parametrize(
    ("board", "said", "found"),
    [
        ("ulx3s-85f", "0x41113043 hardware requires 0x21111043", ": a LFE5U-12F, as ulx3s-12f has;"),
        (
            "ulx3s-12f",
            "0x21111043 hardware requires 0x41111043",
            ": a LFE5U-25F, as ulx3s-25f, orangecrab-25f, icepi-zero, icesugar-pro",
        ),
        ("ulx3s-85f", "0x41113043 hardware requires 0x01111043", ": a LFE5UM-25F;"),
        ("ulx3s-85f", "0x41113043 hardware requires 0x00000000", ";"),
    ],
)
def test_names_the_fpga_that_is_there(board: str, said: str, found: str) -> None:
    line = (
        f"Error: Failed to program FPGA: mismatch between target's idcode and bitstream idcode\n\tbitstream has {said}"
    )
    device = get_board(board).device.name
    message = explain(line, "openFPGALoader", get_board(board), exit_code=1)
    assert message.startswith(f"openFPGALoader found another FPGA than the {device} of the {board}{found}")
