//! Model families, one file each: immutable weights, and a session outside them that owns the KV cache.
