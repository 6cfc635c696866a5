//! Buffers for Kotlin, which cannot pass a structure by value as cheaply as a pointer to one: `Crossing.kt` calls these
//! in the place of UniFFI's own.

use uniffi::RustBuffer;

/// Makes a buffer of `size` bytes, which the caller owns.
#[unsafe(no_mangle)]
extern "C" fn carboy_buffer_alloc(size: u64, buffer: &mut RustBuffer) {
    *buffer = RustBuffer::new_with_size(size);
}

/// Takes back a buffer that the caller owns.
#[unsafe(no_mangle)]
extern "C" fn carboy_buffer_free(buffer: &mut RustBuffer) {
    std::mem::take(buffer).destroy();
}
