//! Floor 5: reports as data, and their writers.
