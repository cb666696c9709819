//! Exact tokenizers from GGUF metadata: byte-level BPE with each pre-tokenizer by name, and SentencePiece.
