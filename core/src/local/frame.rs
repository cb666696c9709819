//! Frames: a length of 4 bytes, little end first, then that many bytes of MessagePack with named fields.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes of one frame at most.
pub const LONGEST: usize = 64 << 20;

/// Structures within structures; what a hostile frame may ask of the stack.
const DEEPEST: usize = 64;

#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {0} bytes is longer than {LONGEST}")]
    TooLong(usize),
    #[error("a frame ends before its length says")]
    Cut,
    #[error("a frame does not hold what it should: {0}")]
    Malformed(String),
    #[error("the connection failed: {0}")]
    Io(#[from] std::io::Error),
}

/// The bytes of a frame, length first.
///
/// # Errors
/// When it would be longer than [`LONGEST`].
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut bytes = vec![0; 4];
    // Human-readable forms throughout: tagged enums read their fields through a buffer that only knows those.
    let mut serializer = rmp_serde::Serializer::new(&mut bytes).with_struct_map().with_human_readable();
    message.serialize(&mut serializer).map_err(|error| FrameError::Malformed(error.to_string()))?;
    let length = bytes.len() - 4;
    match u32::try_from(length) {
        Ok(short) if length <= LONGEST => bytes[..4].copy_from_slice(&short.to_le_bytes()),
        _ => return Err(FrameError::TooLong(length)),
    }
    Ok(bytes)
}

/// What the bytes of a frame (without the length) say.
///
/// # Errors
/// When they are not such a message.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FrameError> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes).with_human_readable();
    deserializer.set_max_depth(DEEPEST);
    T::deserialize(&mut deserializer).map_err(|error| FrameError::Malformed(error.to_string()))
}

/// The next message; none when the other side has ended between two frames. Memory grows with what really arrives.
///
/// # Errors
/// The frame is too long, cut off, or not such a message; or reading failed.
pub async fn read<T: DeserializeOwned>(reader: &mut (impl AsyncRead + Unpin)) -> Result<Option<T>, FrameError> {
    let mut head = [0; 4];
    let mut have = 0;
    while have < head.len() {
        match reader.read(&mut head[have..]).await? {
            0 if have == 0 => return Ok(None),
            0 => return Err(FrameError::Cut),
            count => have += count,
        }
    }
    let length = usize::try_from(u32::from_le_bytes(head)).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(FrameError::TooLong(length));
    }
    let mut bytes = Vec::new();
    reader.take(length as u64).read_to_end(&mut bytes).await?;
    if bytes.len() < length {
        return Err(FrameError::Cut);
    }
    decode(&bytes).map(Some)
}
