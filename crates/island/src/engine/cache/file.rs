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

use xxhash_rust::xxh3::Xxh3;

use super::{Key, Tier};

/// Changes when the format changes.
const MAGIC: [u8; 8] = *b"tombolo3";

/// How much is read and checked at once: as much as the processor's own caches hold.
const CHUNK: usize = 256 << 10;

/// The parts of a file that have checksums of their own, of which the file's is made: so two threads can check it.
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
    let mut checksums = Checksums::default();
    checksums.add(code);
    checksums.add(attachment);
    let checksum = checksums.end(footer);
    let footer = footer.to_bytes();
    for part in [code, attachment, module, &footer] {
        file.write_all(part)?;
        super::step();
    }
    file.write_all(&checksum)?;
    super::step();
    Ok(())
}

/// The checksum of a file that is written.
#[derive(Default)]
struct Checksums {
    /// Of the segments.
    all: Xxh3,
    segment: Xxh3,
    /// How much of the segment has been added.
    added: u64,
}

impl Checksums {
    fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min((SEGMENT - self.added) as usize));
            self.segment.update(now);
            self.added += now.len() as u64;
            bytes = rest;
            if self.added == SEGMENT {
                self.end_segment();
            }
        }
    }

    fn end_segment(&mut self) {
        self.all.update(&self.segment.digest128().to_le_bytes());
        self.segment.reset();
        self.added = 0;
    }

    fn end(mut self, footer: &Footer) -> [u8; 16] {
        if self.added > 0 {
            self.end_segment();
        }
        end(self.all, footer)
    }
}

fn end(mut segments: Xxh3, footer: &Footer) -> [u8; 16] {
    segments.update(&footer.to_bytes());
    segments.digest128().to_le_bytes()
}

/// Checks a file, but for the module in it, and returns its attachment if every byte is as it was written.
pub(super) fn check(file: &File, footer: &Footer) -> io::Result<Option<Vec<u8>>> {
    let end_of_checked = footer.code + footer.attachment;
    let segments = end_of_checked.div_ceil(SEGMENT);
    let read = |segments: Range<u64>| -> io::Result<Vec<Segment>> {
        let mut chunk = vec![0; CHUNK.min(end_of_checked as usize)];
        segments
            .map(|at| Segment::read(file, footer, at * SEGMENT..end_of_checked.min((at + 1) * SEGMENT), &mut chunk))
            .collect()
    };
    // Another thread costs as much as reading a quarter of a segment, and may not be had.
    let middle = segments / 2;
    let (first, second) = thread::scope(|scope| {
        let other = (middle > 0).then(|| thread::Builder::new().spawn_scoped(scope, || read(middle..segments)));
        match other {
            Some(Ok(other)) => (read(0..middle), other.join().unwrap_or_else(|_| Err(io::Error::other("a panic")))),
            _ => (read(0..middle), read(middle..segments)),
        }
    });
    let (mut all, mut attachment) = (Xxh3::new(), Vec::new());
    for segment in first?.into_iter().chain(second?) {
        all.update(&segment.checksum);
        attachment.extend_from_slice(&segment.attachment);
    }
    let mut written = [0; 16];
    file.read_exact_at(&mut written, end_of_checked + footer.kept + Footer::CHECKSUM as u64)?;
    Ok((end(all, footer) == written).then_some(attachment))
}

/// A segment that has been read.
struct Segment {
    checksum: [u8; 16],
    /// What it has of the attachment.
    attachment: Vec<u8>,
}

impl Segment {
    /// The file is read instead of mapped: mapped pages that were read would count as this process's memory.
    fn read(file: &File, footer: &Footer, Range { start, end }: Range<u64>, chunk: &mut [u8]) -> io::Result<Self> {
        let (mut checksum, mut attachment, mut at) = (Xxh3::new(), Vec::new(), start);
        while at < end {
            let len = chunk.len().min((end - at) as usize);
            let part = &mut chunk[..len];
            file.read_exact_at(part, at)?;
            checksum.update(part);
            attachment.extend_from_slice(&part[footer.code.saturating_sub(at).min(len as u64) as usize..]);
            at += len as u64;
        }
        Ok(Self { checksum: checksum.digest128().to_le_bytes(), attachment })
    }
}
