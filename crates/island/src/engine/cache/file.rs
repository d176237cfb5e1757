//! The file that holds one module's compiled code:
//!
//! | bytes | |
//! | --- | --- |
//! | the code | as Wasmtime serializes it, from the beginning of the file, so that it can be mapped |
//! | the attachment | what else the host has to know about the module |
//! | the module | its own bytes, if they are still needed to optimize it; otherwise nothing |
//! | the footer | [`Footer`], of a fixed size |

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::thread;

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::{Key, Tier};

/// Changes when the format changes.
const MAGIC: [u8; 8] = *b"tombolo4";

/// How much is read and checked at once: as much as the processor's own caches hold.
const CHUNK: usize = 256 << 10;

/// The parts of the code that have checksums of their own, of which the file's is made: so two threads can check it.
const SEGMENT: u64 = 4 << 20;

/// What a file says about itself, at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) code: u64,
    pub(super) attachment: u64,
    /// The length of the module that was compiled, in bytes.
    pub(super) original: u64,
    /// How many bytes of the module are in the file: all or none.
    pub(super) kept: u64,
    pub(super) tier: Tier,
    pub(super) key: Key,
}

impl Footer {
    /// The footer's size with the checksum, which comes last.
    pub(super) const BYTES: usize = 8 + 4 * 8 + 8 + 32 + 16;
    const CHECKSUM: usize = Self::BYTES - 16;

    /// The footer of a file with these parts: the code, the attachment and the module.
    pub(super) fn of(parts: [&[u8]; 3], original: usize, tier: Tier, key: &Key) -> Self {
        let [code, attachment, kept] = parts.map(|part| part.len() as u64);
        Self { code, attachment, original: original as u64, kept, tier, key: *key }
    }

    /// The footer's size without the checksum.
    fn to_bytes(self) -> [u8; Self::CHECKSUM] {
        let mut bytes = [0; Self::CHECKSUM];
        let (start, key) = bytes.split_at_mut(Self::CHECKSUM - 32);
        let lengths = [self.code, self.attachment, self.original, self.kept].map(u64::to_le_bytes);
        start[..8].copy_from_slice(&MAGIC);
        start[8..40].copy_from_slice(lengths.as_flattened());
        start[40] = self.tier as u8;
        key.copy_from_slice(&self.key.0);
        bytes
    }

    fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let field = |at: usize| bytes[8 * at..].first_chunk().copied().map(u64::from_le_bytes);
        let tier = Tier::from_byte(bytes[40])?;
        let key = Key(*bytes[Self::CHECKSUM - 32..].first_chunk()?);
        let footer = Self { code: field(1)?, attachment: field(2)?, original: field(3)?, kept: field(4)?, tier, key };
        bytes.starts_with(&footer.to_bytes()).then_some(footer)
    }

    /// Where in the file the module starts; `None` if that is too large a number.
    pub(super) fn module_start(&self) -> Option<u64> {
        self.code.checked_add(self.attachment)
    }

    /// Reads what a file of `size` bytes says about itself, which need not be true.
    pub(super) fn read(file: &File, size: u64) -> io::Result<Option<Self>> {
        let mut bytes = [0; Self::BYTES];
        let Some(start) = size.checked_sub(Self::BYTES as u64) else { return Ok(None) };
        file.read_exact_at(&mut bytes, start)?;
        let end = |footer: &Self| footer.module_start()?.checked_add(footer.kept);
        Ok(Self::from_bytes(&bytes).filter(|footer| end(footer) == Some(start)))
    }
}

/// Writes a whole file. Its checksum leaves out the module, of which the key is a hash.
pub(super) fn write(mut file: impl Write, parts: [&[u8]; 3], footer: &Footer) -> io::Result<()> {
    let [code, attachment, module] = parts;
    let checksum = checksum(code.chunks(SEGMENT as usize).map(xxh3_128), attachment, footer);
    for part in [code, attachment, module, &footer.to_bytes(), &checksum] {
        file.write_all(part)?;
        super::step();
    }
    Ok(())
}

/// The checksum of a file whose code's segments have these.
fn checksum(segments: impl IntoIterator<Item = u128>, attachment: &[u8], footer: &Footer) -> [u8; 16] {
    let mut all = Xxh3::new();
    segments.into_iter().for_each(|segment| all.update(&segment.to_le_bytes()));
    all.update(attachment);
    all.update(&footer.to_bytes());
    all.digest128().to_le_bytes()
}

/// Checks a file, but for the module in it, and returns its attachment if every byte is as it was written.
pub(super) fn check(file: &File, footer: &Footer) -> io::Result<Option<Vec<u8>>> {
    let read = |segments: Range<u64>| -> io::Result<Vec<u128>> {
        let mut chunk = vec![0; CHUNK.min(footer.code as usize)];
        let bytes = |at| at * SEGMENT..footer.code.min((at + 1) * SEGMENT);
        segments.map(|at| segment_checksum(file, bytes(at), &mut chunk)).collect()
    };
    let segments = footer.code.div_ceil(SEGMENT);
    // Another thread costs as much as reading a quarter of a segment, and may not be had.
    let middle = segments / 2;
    let (first, second) = thread::scope(|scope| {
        let other = (middle > 0).then(|| thread::Builder::new().spawn_scoped(scope, || read(middle..segments)));
        match other {
            Some(Ok(other)) => (read(0..middle), other.join().unwrap_or_else(|_| Err(io::Error::other("a panic")))),
            _ => (read(0..middle), read(middle..segments)),
        }
    });
    let mut attachment = vec![0; footer.attachment as usize];
    file.read_exact_at(&mut attachment, footer.code)?;
    let mut written = [0; 16];
    file.read_exact_at(&mut written, footer.code + footer.attachment + footer.kept + Footer::CHECKSUM as u64)?;
    let is_right = checksum(first?.into_iter().chain(second?), &attachment, footer) == written;
    Ok(is_right.then_some(attachment))
}

/// The file is read instead of mapped: mapped pages that were read would count as this process's memory.
fn segment_checksum(file: &File, Range { mut start, end }: Range<u64>, chunk: &mut [u8]) -> io::Result<u128> {
    let mut checksum = Xxh3::new();
    while start < end {
        let len = chunk.len().min((end - start) as usize);
        file.read_exact_at(&mut chunk[..len], start)?;
        checksum.update(&chunk[..len]);
        start += len as u64;
    }
    Ok(checksum.digest128())
}
