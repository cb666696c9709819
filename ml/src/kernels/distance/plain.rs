//! Numbers as the bytes of a file and back, without copying.

/// Numbers of which every pattern of bits is one, without padding.
pub trait Plain: Copy + sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! plain {
    ($($number:ty),*) => {
        $(impl sealed::Sealed for $number {}
        impl Plain for $number {})*
    };
}

plain!(u8, i8, u32, u64, f32, u128);

/// The numbers that these bytes hold, in the order of this machine. None when they are not aligned as the numbers
/// are, or their length is no multiple of a number's.
pub fn view<T: Plain>(bytes: &[u8]) -> Option<&[T]> {
    // SAFETY: every pattern of bits is a number (only the types above are Plain), and bytes have no padding.
    let (before, numbers, after) = unsafe { bytes.align_to::<T>() };
    (before.is_empty() && after.is_empty()).then_some(numbers)
}

/// The bytes of these numbers, in the order of this machine.
pub fn bytes_of<T: Plain>(numbers: &[T]) -> &[u8] {
    // SAFETY: the numbers have no padding, bytes need no alignment, and the length is that of the slice.
    unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), size_of_val(numbers)) }
}
