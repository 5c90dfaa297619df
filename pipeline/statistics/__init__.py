"""Statistics: resampling, intervals, agreement, calibration, splits. No room has its own."""
