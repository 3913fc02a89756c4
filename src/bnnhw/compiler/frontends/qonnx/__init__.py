"""ONNX files of quantised networks, as Brevitas and FINN write them (QONNX), read into trained graphs."""
