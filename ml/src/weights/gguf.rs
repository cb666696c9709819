//! GGUF container: header, metadata and tensor table, checked before anything is allocated.
