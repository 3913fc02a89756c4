"""The hardwired unit, an unrolled MVAU: adders that are made for their weights and share sums (CMVM)."""
