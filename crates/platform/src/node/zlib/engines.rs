//! Compression piece by piece, by crates: zlib's formats, Brotli and Zstandard.

use std::io::Write as _;

use brotli::enc::StandardAlloc;
use brotli::enc::backward_references::{BrotliEncoderMode, BrotliEncoderParams};
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState, CompressorWriter};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use zstd::stream::raw::{CParameter, DParameter, Decoder, Encoder, InBuffer, Operation, OutBuffer};

/// How much room is added to the output at a time.
const STEP: usize = 32 << 10;

/// What a call does with what it has, numbered as in zlib.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Flush {
    None,
    Partial,
    Sync,
    Full,
    Finish,
}

impl Flush {
    pub(crate) fn by_number(number: u32) -> Self {
        [Self::None, Self::Partial, Self::Sync, Self::Full].get(number as usize).copied().unwrap_or(Self::Finish)
    }
}

/// What went wrong: Node's code and number, and a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

fn failure(code: &'static str, message: impl Into<String>) -> Failure {
    Failure { code, message: message.into() }
}

/// A stream of bytes that is compressed or decompressed.
pub(crate) enum Engine {
    Deflate(Deflate),
    Inflate(Inflate),
    BrotliCompress(Box<CompressorWriter<Vec<u8>>>),
    BrotliDecompress(Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>),
    ZstdCompress(Encoder<'static>),
    ZstdDecompress(Decoder<'static>),
}

/// What a call has made.
#[derive(Default, Debug)]
pub(crate) struct Made {
    pub(crate) bytes: Vec<u8>,
    /// How much of the input is used.
    pub(crate) used: usize,
    /// The compressed data has its end.
    pub(crate) has_ended: bool,
    /// There may be more to make: this is as much as was allowed.
    pub(crate) is_full: bool,
}

impl Made {
    /// Nothing yet, of so much input.
    fn new(used: usize) -> Self {
        Self { bytes: Vec::new(), used, has_ended: false, is_full: false }
    }

    /// Makes room for more, unless there are `limit` bytes.
    fn has_room(&mut self, limit: usize) -> Result<bool, Failure> {
        let room = limit.saturating_sub(self.bytes.len()).min(STEP);
        self.is_full = room == 0;
        if self.bytes.capacity() - self.bytes.len() < room {
            // Twice as much each time, but no more than is allowed.
            let more = self.bytes.len().max(STEP).min(limit - self.bytes.len());
            self.bytes.try_reserve_exact(more).map_err(|_| failure("Z_MEM_ERROR", "out of memory"))?;
        }
        Ok(room > 0)
    }
}

/// zlib's three containers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Container {
    Zlib,
    Raw,
    Gzip,
    /// gzip or zlib, by its first bytes.
    Any,
}

/// How zlib compresses.
#[derive(Clone, Debug)]
pub(crate) struct ZlibOptions {
    pub(crate) container: Container,
    pub(crate) level: i32,
    pub(crate) window_bits: u8,
    pub(crate) dictionary: Option<Vec<u8>>,
}

impl ZlibOptions {
    /// The crate's limits are 9 and 15. A window of 8 bits is one of 9 in zlib too, and 0 stands for what the data says.
    fn window_bits(&self) -> u8 {
        if self.window_bits == 0 { 15 } else { self.window_bits.clamp(9, 15) }
    }

    fn compression(&self) -> Compression {
        compression(self.level)
    }
}

fn compression(level: i32) -> Compression {
    u32::try_from(level).map_or(Compression::default(), |level| Compression::new(level.min(9)))
}

pub(crate) struct Deflate {
    compress: Compress,
}

pub(crate) struct Inflate {
    options: ZlibOptions,
    /// Made when the container is known.
    decompress: Option<Decompress>,
    is_gzip: bool,
    has_ended: bool,
    /// The first byte, while it is not known what it begins.
    first: Vec<u8>,
}

impl Engine {
    pub(crate) fn deflate(options: &ZlibOptions) -> Result<Self, Failure> {
        let mut compress = match options.container {
            Container::Gzip => Compress::new_gzip(options.compression(), options.window_bits()),
            container => {
                let has_header = container == Container::Zlib;
                Compress::new_with_window_bits(options.compression(), has_header, options.window_bits())
            }
        };
        if let Some(dictionary) = options.dictionary.as_ref().filter(|_| options.container != Container::Gzip) {
            compress.set_dictionary(dictionary).map_err(|_| failure("Z_STREAM_ERROR", "Failed to set dictionary"))?;
        }
        Ok(Self::Deflate(Deflate { compress }))
    }

    pub(crate) fn inflate(options: ZlibOptions) -> Result<Self, Failure> {
        let mut inflate = Inflate { options, decompress: None, is_gzip: false, has_ended: false, first: Vec::new() };
        match inflate.options.container {
            Container::Any => {}
            container => inflate.begin(container)?,
        }
        Ok(Self::Inflate(inflate))
    }

    /// `parameters` are pairs of Node's numbers and values.
    pub(crate) fn brotli_compress(parameters: &[(u32, u32)]) -> Result<Self, Failure> {
        let mut params = BrotliEncoderParams::default();
        for &(key, value) in parameters {
            match key {
                0 => {
                    params.mode = match value {
                        1 => BrotliEncoderMode::BROTLI_MODE_TEXT,
                        2 => BrotliEncoderMode::BROTLI_MODE_FONT,
                        _ => BrotliEncoderMode::BROTLI_MODE_GENERIC,
                    }
                }
                1 => params.quality = value.min(11) as i32,
                2 => params.lgwin = value.clamp(10, 30) as i32,
                3 => params.lgblock = value as i32,
                4 => params.disable_literal_context_modeling = value as i32,
                5 => params.size_hint = value as usize,
                6 => params.large_window = value != 0,
                _ => {}
            }
        }
        // As Brotli's own encoder has it.
        if !params.large_window {
            params.lgwin = params.lgwin.min(24);
        }
        // The crate needs about as much for what it remembers, and does not ask whether it is there.
        let factor = if params.quality < 10 { 4 } else { 16 };
        if !qjs::room::is_there(factor << params.lgwin) {
            return Err(failure("ERR_ZLIB_INITIALIZATION_FAILED", "Initialization failed"));
        }
        Ok(Self::BrotliCompress(Box::new(CompressorWriter::with_params(Vec::new(), STEP, &params))))
    }

    pub(crate) fn brotli_decompress() -> Self {
        let allocators = || StandardAlloc::default();
        Self::BrotliDecompress(Box::new(BrotliState::new(allocators(), allocators(), allocators())))
    }

    pub(crate) fn zstd_compress(parameters: &[(u32, u32)], dictionary: &[u8]) -> Result<Self, Failure> {
        let level = parameters.iter().find(|(key, _)| *key == 100).map_or(3, |&(_, level)| level as i32);
        let encoder = match dictionary {
            [] => Encoder::new(level),
            _ => Encoder::with_dictionary(level, dictionary),
        };
        let mut encoder = encoder.map_err(|error| zstd_failure(&error))?;
        for &(key, value) in parameters {
            let parameter = match key {
                101 => CParameter::WindowLog(value),
                102 => CParameter::HashLog(value),
                103 => CParameter::ChainLog(value),
                104 => CParameter::SearchLog(value),
                105 => CParameter::MinMatch(value),
                106 => CParameter::TargetLength(value),
                160 => CParameter::EnableLongDistanceMatching(value != 0),
                161 => CParameter::LdmHashLog(value),
                162 => CParameter::LdmMinMatch(value),
                163 => CParameter::LdmBucketSizeLog(value),
                164 => CParameter::LdmHashRateLog(value),
                200 => CParameter::ContentSizeFlag(value != 0),
                201 => CParameter::ChecksumFlag(value != 0),
                202 => CParameter::DictIdFlag(value != 0),
                _ => continue,
            };
            let set = encoder.set_parameter(parameter);
            set.map_err(|_| failure("ERR_ZLIB_INITIALIZATION_FAILED", "Setting parameter failed"))?;
        }
        Ok(Self::ZstdCompress(encoder))
    }

    pub(crate) fn zstd_decompress(parameters: &[(u32, u32)], dictionary: &[u8]) -> Result<Self, Failure> {
        let decoder = match dictionary {
            [] => Decoder::new(),
            _ => Decoder::with_dictionary(dictionary),
        };
        let mut decoder = decoder.map_err(|error| zstd_failure(&error))?;
        for &(key, value) in parameters {
            if key == 100 {
                let set = decoder.set_parameter(DParameter::WindowLogMax(value));
                set.map_err(|_| failure("ERR_ZLIB_INITIALIZATION_FAILED", "Setting parameter failed"))?;
            }
        }
        Ok(Self::ZstdDecompress(decoder))
    }

    /// Takes input and makes output, as much as there is; stops when there are `limit` bytes of it, unless it compresses
    /// by Brotli or Zstandard.
    pub(crate) fn run(&mut self, input: &[u8], flush: Flush, limit: usize) -> Result<Made, Failure> {
        match self {
            Self::Deflate(deflate) => deflate.run(input, flush, limit),
            Self::Inflate(inflate) => inflate.run(input, flush, limit),
            Self::BrotliCompress(writer) => {
                let failed = |_| failure("ERR_BROTLI_COMPRESSION_FAILED", "Compression failed");
                writer.write_all(input).map_err(failed)?;
                let is_last = flush == Flush::Finish;
                let bytes = if is_last {
                    let finished = std::mem::replace(&mut **writer, CompressorWriter::new(Vec::new(), 1, 0, 10));
                    finished.into_inner()
                } else {
                    if flush != Flush::None {
                        writer.flush().map_err(failed)?;
                    }
                    std::mem::take(writer.get_mut())
                };
                Ok(Made { bytes, has_ended: is_last, ..Made::new(input.len()) })
            }
            Self::BrotliDecompress(state) => brotli_decompress(state, input, flush, limit),
            Self::ZstdCompress(encoder) => zstd_compress(encoder, input, flush),
            Self::ZstdDecompress(decoder) => zstd_decompress(decoder, input, limit),
        }
    }

    /// Changes the level of compression from here on. Once there is data, zlib-rs cannot go from some levels to some
    /// others; the level stays then, which changes the size of what is made, and nothing else.
    pub(crate) fn set_level(&mut self, level: i32) {
        if let Self::Deflate(deflate) = self {
            let _ = deflate.compress.set_level(compression(level));
        }
    }
}

impl Deflate {
    fn run(&mut self, input: &[u8], flush: Flush, limit: usize) -> Result<Made, Failure> {
        let flush = match flush {
            Flush::None => FlushCompress::None,
            // (zlib-rs fails to flush partially.)
            Flush::Partial | Flush::Sync => FlushCompress::Sync,
            Flush::Full => FlushCompress::Full,
            Flush::Finish => FlushCompress::Finish,
        };
        let mut made = Made::new(0);
        while made.has_room(limit)? {
            let before = self.compress.total_in();
            let status = self.compress.compress_vec(&input[made.used..], &mut made.bytes, flush);
            let status = status.map_err(|error| failure("Z_STREAM_ERROR", error.to_string()))?;
            made.used += (self.compress.total_in() - before) as usize;
            made.has_ended = status == Status::StreamEnd;
            let has_room = made.bytes.len() < made.bytes.capacity();
            if made.has_ended || status == Status::BufError || (has_room && made.used == input.len()) {
                break;
            }
        }
        Ok(made)
    }
}

impl Inflate {
    fn begin(&mut self, container: Container) -> Result<(), Failure> {
        let bits = self.options.window_bits();
        self.is_gzip = container == Container::Gzip;
        self.has_ended = false;
        let mut decompress = match container {
            Container::Gzip => Decompress::new_gzip(bits),
            container => Decompress::new_with_window_bits(container != Container::Raw, bits),
        };
        if let (Container::Raw, Some(dictionary)) = (container, &self.options.dictionary) {
            let set = decompress.set_dictionary(dictionary);
            set.map_err(|_| failure("Z_DATA_ERROR", "Failed to set dictionary"))?;
        }
        self.decompress = Some(decompress);
        Ok(())
    }

    fn run(&mut self, input: &[u8], flush: Flush, limit: usize) -> Result<Made, Failure> {
        if self.decompress.is_some() {
            return self.inflate(input, flush, limit);
        }
        // The two bytes that a gzip header begins with decide.
        let so_far = [&self.first, input].concat();
        let container = match so_far.as_slice() {
            [] => return self.unfinished(Made::new(0), flush),
            [0x1f] => {
                self.first = so_far;
                return self.unfinished(Made::new(input.len()), flush);
            }
            [0x1f, 0x8b, ..] => Container::Gzip,
            _ => Container::Zlib,
        };
        self.begin(container)?;
        let held = std::mem::take(&mut self.first).len();
        let mut made = self.inflate(&so_far, flush, limit)?;
        made.used = made.used.saturating_sub(held);
        Ok(made)
    }

    fn unfinished(&self, made: Made, flush: Flush) -> Result<Made, Failure> {
        match flush {
            Flush::Finish => Err(failure("Z_BUF_ERROR", "unexpected end of file")),
            _ => Ok(made),
        }
    }

    fn inflate(&mut self, input: &[u8], flush: Flush, limit: usize) -> Result<Made, Failure> {
        let mut made = Made { has_ended: self.has_ended, ..Made::new(0) };
        while made.has_room(limit)? {
            if self.has_ended {
                // Another member may follow the end of a gzip file; zeros are padding.
                let follows = self.is_gzip && input.get(made.used).is_some_and(|&byte| byte != 0);
                if !follows {
                    break;
                }
                self.begin(Container::Gzip)?;
                made.has_ended = false;
            }
            let Some(decompress) = &mut self.decompress else { break };
            let (read, written) = (decompress.total_in(), made.bytes.len());
            let status = decompress.decompress_vec(&input[made.used..], &mut made.bytes, FlushDecompress::None);
            made.used += (decompress.total_in() - read) as usize;
            match status {
                Ok(Status::StreamEnd) => {
                    self.has_ended = true;
                    made.has_ended = true;
                }
                Ok(Status::Ok | Status::BufError) => {
                    let has_room = made.bytes.len() < made.bytes.capacity();
                    let is_stuck = made.bytes.len() == written && decompress.total_in() == read;
                    if is_stuck || (has_room && made.used == input.len()) {
                        break;
                    }
                }
                Err(error) if error.needs_dictionary().is_some() => {
                    let Some(dictionary) = &self.options.dictionary else {
                        return Err(failure("Z_NEED_DICT", "Missing dictionary"));
                    };
                    if decompress.set_dictionary(dictionary).is_err() {
                        return Err(failure("Z_NEED_DICT", "Bad dictionary"));
                    }
                }
                Err(error) => return Err(failure("Z_DATA_ERROR", error.message().unwrap_or("invalid data"))),
            }
        }
        if made.has_ended || made.is_full { Ok(made) } else { self.unfinished(made, flush) }
    }
}

fn brotli_decompress(
    state: &mut BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    input: &[u8],
    flush: Flush,
    limit: usize,
) -> Result<Made, Failure> {
    let mut made = Made::new(0);
    let mut total = 0;
    while made.has_room(limit)? {
        let start = made.bytes.len();
        made.bytes.resize(made.bytes.capacity().min(start + STEP), 0);
        let (mut left, mut room, mut written) = (input.len() - made.used, made.bytes.len() - start, 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut made.used,
            input,
            &mut room,
            &mut written,
            &mut made.bytes[start..],
            &mut total,
            state,
        );
        made.bytes.truncate(start + written);
        match result {
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::ResultSuccess => {
                made.has_ended = true;
                return Ok(made);
            }
            BrotliResult::NeedsMoreInput if flush == Flush::Finish => {
                return Err(failure("Z_BUF_ERROR", "unexpected end of file"));
            }
            BrotliResult::NeedsMoreInput => return Ok(made),
            BrotliResult::ResultFailure => {
                return Err(failure(brotli_code(state.error_code as i32), "Decompression failed"));
            }
        }
    }
    Ok(made)
}

/// The code that Node makes of one of Brotli's numbers.
fn brotli_code(number: i32) -> &'static str {
    match number {
        -1 => "ERR__ERROR_FORMAT_EXUBERANT_NIBBLE",
        -2 => "ERR__ERROR_FORMAT_RESERVED",
        -3 => "ERR__ERROR_FORMAT_EXUBERANT_META_NIBBLE",
        -4 => "ERR__ERROR_FORMAT_SIMPLE_HUFFMAN_ALPHABET",
        -5 => "ERR__ERROR_FORMAT_SIMPLE_HUFFMAN_SAME",
        -6 => "ERR__ERROR_FORMAT_CL_SPACE",
        -7 => "ERR__ERROR_FORMAT_HUFFMAN_SPACE",
        -8 => "ERR__ERROR_FORMAT_CONTEXT_MAP_REPEAT",
        -9 => "ERR__ERROR_FORMAT_BLOCK_LENGTH_1",
        -10 => "ERR__ERROR_FORMAT_BLOCK_LENGTH_2",
        -11 => "ERR__ERROR_FORMAT_TRANSFORM",
        -12 => "ERR__ERROR_FORMAT_DICTIONARY",
        -13 => "ERR__ERROR_FORMAT_WINDOW_BITS",
        -14 => "ERR__ERROR_FORMAT_PADDING_1",
        -15 => "ERR__ERROR_FORMAT_PADDING_2",
        -16 => "ERR__ERROR_FORMAT_DISTANCE",
        _ => "ERR__ERROR_UNREACHABLE",
    }
}

fn zstd_failure(error: &std::io::Error) -> Failure {
    /// Descriptions of Zstandard's errors, and Node's codes for them.
    const CODES: [(&str, &str); 9] = [
        ("Unknown frame descriptor", "ZSTD_error_prefix_unknown"),
        ("Version not supported", "ZSTD_error_version_unsupported"),
        ("Unsupported frame parameter", "ZSTD_error_frameParameter_unsupported"),
        ("Frame requires too much memory for decoding", "ZSTD_error_frameParameter_windowTooLarge"),
        ("Data corruption detected", "ZSTD_error_corruption_detected"),
        ("Restored data doesn't match checksum", "ZSTD_error_checksum_wrong"),
        ("Dictionary is corrupted", "ZSTD_error_dictionary_corrupted"),
        ("Dictionary mismatch", "ZSTD_error_dictionary_wrong"),
        ("Src size is incorrect", "ZSTD_error_srcSize_wrong"),
    ];
    let message = error.to_string();
    let code = CODES.iter().find(|(known, _)| message.contains(known)).map_or("ZSTD_error_GENERIC", |(_, code)| code);
    failure(code, message)
}

fn zstd_compress(encoder: &mut Encoder<'static>, input: &[u8], flush: Flush) -> Result<Made, Failure> {
    let mut bytes = Vec::new();
    let mut from = InBuffer::around(input);
    loop {
        let start = bytes.len();
        bytes.resize(start + STEP, 0);
        let mut to = OutBuffer::around_pos(&mut bytes[..], start);
        let left = if from.pos() < input.len() {
            encoder.run(&mut from, &mut to).map(|_| 1)
        } else if flush == Flush::Finish {
            encoder.finish(&mut to, true)
        } else if flush == Flush::None {
            Ok(0)
        } else {
            encoder.flush(&mut to)
        };
        let end = to.pos();
        bytes.truncate(end);
        if left.map_err(|error| zstd_failure(&error))? == 0 {
            return Ok(Made { bytes, has_ended: flush == Flush::Finish, ..Made::new(input.len()) });
        }
    }
}

/// (Data that ends too early is no error in Node.)
fn zstd_decompress(decoder: &mut Decoder<'static>, input: &[u8], limit: usize) -> Result<Made, Failure> {
    let mut made = Made::new(0);
    let mut from = InBuffer::around(input);
    while made.has_room(limit)? {
        let start = made.bytes.len();
        made.bytes.resize(made.bytes.capacity().min(start + STEP), 0);
        let room = made.bytes.len();
        let mut to = OutBuffer::around_pos(&mut made.bytes[..], start);
        let left = decoder.run(&mut from, &mut to);
        let end = to.pos();
        made.bytes.truncate(end);
        made.used = from.pos();
        made.has_ended = left.map_err(|error| zstd_failure(&error))? == 0;
        if end < room && made.used == input.len() {
            break;
        }
    }
    Ok(made)
}
