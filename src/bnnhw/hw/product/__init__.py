"""The matrix unit, FINN's MVAU: XNOR-popcount processing elements that are fed weights in folds."""
