//! Nearest vectors of one space: an exact scan over compact vectors while there are few, an HNSW graph above.
