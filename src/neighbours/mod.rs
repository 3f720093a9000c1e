//! Floor 2: the only place where O(N²D) work happens.
