//! AES in the modes that `createCipheriv` offers, piece by piece.

use aes::cipher::generic_array::GenericArray;
use aes::cipher::{
    BlockCipher, BlockDecrypt, BlockDecryptMut, BlockEncrypt, BlockEncryptMut, BlockSizeUser, InnerIvInit, KeyInit,
    StreamCipher, consts::U16,
};
use ghash::GHash;
use ghash::universal_hash::UniversalHash;

const BLOCK: usize = 16;
type Block = GenericArray<u8, U16>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Ecb,
    Cbc,
    Ctr,
    Gcm,
}

/// What is wrong with the last piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Error {
    WrongLength,
    BadDecrypt,
    NotAuthentic,
}

/// A message that is being encrypted or decrypted.
pub(crate) struct Cipher {
    engine: Engine,
    is_encrypting: bool,
    /// Of ECB and CBC: what does not fill a block yet or, if padding must be taken off, may be the last.
    rest: Vec<u8>,
    is_padded: bool,
}

/// Turns parts of a message into what they become, in place.
type InPlace<Part> = Box<dyn FnMut(&mut [Part])>;

enum Engine {
    Blocks(InPlace<Block>),
    Stream(InPlace<u8>),
    Gcm(Gcm),
}

impl Cipher {
    /// `None` if the key is not one of AES, or the initialization vector is not one of this mode.
    pub(crate) fn new(mode: Mode, key: &[u8], iv: &[u8], is_encrypting: bool) -> Option<Self> {
        let engine = match key.len() {
            16 => Engine::new(mode, aes::Aes128::new_from_slice(key).ok()?, iv, is_encrypting),
            24 => Engine::new(mode, aes::Aes192::new_from_slice(key).ok()?, iv, is_encrypting),
            32 => Engine::new(mode, aes::Aes256::new_from_slice(key).ok()?, iv, is_encrypting),
            _ => None,
        }?;
        Some(Self { engine, is_encrypting, rest: Vec::new(), is_padded: true })
    }

    pub(crate) fn set_padding(&mut self, is_padded: bool) {
        self.is_padded = is_padded;
    }

    /// Adds data that is authenticated and not encrypted. Only GCM has any.
    pub(crate) fn authenticate(&mut self, data: &[u8]) {
        if let Engine::Gcm(gcm) = &mut self.engine {
            gcm.authenticate(data);
        }
    }

    /// The next piece.
    pub(crate) fn update(&mut self, bytes: &[u8]) -> Vec<u8> {
        let holds_back = self.is_padded && !self.is_encrypting;
        match &mut self.engine {
            Engine::Stream(apply) => {
                let mut bytes = bytes.to_vec();
                apply(&mut bytes);
                bytes
            }
            Engine::Gcm(gcm) => gcm.update(bytes, self.is_encrypting),
            Engine::Blocks(process) => {
                self.rest.extend(bytes);
                let mut whole = self.rest.len() / BLOCK * BLOCK;
                if holds_back && whole == self.rest.len() {
                    whole = whole.saturating_sub(BLOCK);
                }
                let mut blocks: Vec<Block> =
                    self.rest[..whole].chunks_exact(BLOCK).map(Block::clone_from_slice).collect();
                self.rest.drain(..whole);
                process(&mut blocks);
                blocks.concat()
            }
        }
    }

    /// The end. `tag` is what a message that is decrypted by GCM must have.
    pub(crate) fn finish(mut self, tag: Option<&[u8]>) -> Result<Finished, Error> {
        match &mut self.engine {
            Engine::Stream(_) => Ok(Finished::default()),
            Engine::Gcm(_) => {
                let Engine::Gcm(gcm) = self.engine else { unreachable!("it was one above") };
                let made = gcm.finish();
                if self.is_encrypting {
                    return Ok(Finished { bytes: Vec::new(), tag: made.to_vec() });
                }
                let tag = tag.filter(|tag| !tag.is_empty() && tag.len() <= BLOCK).ok_or(Error::NotAuthentic)?;
                // Takes as long wherever the two differ.
                let difference = made.iter().zip(tag).fold(0, |all, (one, two)| all | (one ^ two));
                if difference == 0 { Ok(Finished::default()) } else { Err(Error::NotAuthentic) }
            }
            Engine::Blocks(process) => {
                if !self.is_padded {
                    return if self.rest.is_empty() { Ok(Finished::default()) } else { Err(Error::WrongLength) };
                }
                if self.is_encrypting {
                    let padding = BLOCK - self.rest.len();
                    self.rest.resize(BLOCK, padding as u8);
                }
                if self.rest.len() != BLOCK {
                    return Err(Error::WrongLength);
                }
                let mut block = Block::clone_from_slice(&self.rest);
                process(std::slice::from_mut(&mut block));
                let mut bytes = block.to_vec();
                if !self.is_encrypting {
                    let padding = usize::from(bytes[BLOCK - 1]);
                    let is_right = (1..=BLOCK).contains(&padding)
                        && bytes[BLOCK - padding..].iter().all(|&byte| usize::from(byte) == padding);
                    if !is_right {
                        return Err(Error::BadDecrypt);
                    }
                    bytes.truncate(BLOCK - padding);
                }
                Ok(Finished { bytes, tag: Vec::new() })
            }
        }
    }
}

/// The last bytes, and the tag of GCM.
#[derive(Default, Debug)]
pub(crate) struct Finished {
    pub(crate) bytes: Vec<u8>,
    pub(crate) tag: Vec<u8>,
}

impl Engine {
    fn new<C>(mode: Mode, aes: C, iv: &[u8], is_encrypting: bool) -> Option<Self>
    where
        C: BlockCipher + BlockEncrypt + BlockDecrypt + BlockSizeUser<BlockSize = U16> + Clone + 'static,
    {
        fn encrypting(mut cipher: impl BlockEncryptMut<BlockSize = U16> + 'static) -> Engine {
            Engine::Blocks(Box::new(move |blocks| cipher.encrypt_blocks_mut(blocks)))
        }
        fn decrypting(mut cipher: impl BlockDecryptMut<BlockSize = U16> + 'static) -> Engine {
            Engine::Blocks(Box::new(move |blocks| cipher.decrypt_blocks_mut(blocks)))
        }
        Some(match (mode, is_encrypting) {
            (Mode::Ecb, _) if !iv.is_empty() => return None,
            (Mode::Ecb, true) => encrypting(aes),
            (Mode::Ecb, false) => decrypting(aes),
            (Mode::Cbc, true) => encrypting(cbc::Encryptor::inner_iv_slice_init(aes, iv).ok()?),
            (Mode::Cbc, false) => decrypting(cbc::Decryptor::inner_iv_slice_init(aes, iv).ok()?),
            (Mode::Ctr, _) => {
                let core = ctr::CtrCore::<C, ctr::flavors::Ctr128BE>::inner_iv_slice_init(aes, iv).ok()?;
                let mut stream = aes::cipher::StreamCipherCoreWrapper::from_core(core);
                Engine::Stream(Box::new(move |bytes| stream.apply_keystream(bytes)))
            }
            (Mode::Gcm, _) if iv.is_empty() => return None,
            (Mode::Gcm, _) => Engine::Gcm(Gcm::new(aes, iv)),
        })
    }
}

/// GCM (NIST SP 800-38D) of the crates' counter mode and GHASH. (The crate for the whole takes a message at once.)
struct Gcm {
    stream: InPlace<u8>,
    hash: GHash,
    /// What does not fill a block of the hash yet.
    rest: Vec<u8>,
    data_length: u64,
    text_length: u64,
    /// The first block of the key stream, which hides the tag.
    mask: Block,
}

impl Gcm {
    fn new<C>(aes: C, iv: &[u8]) -> Self
    where
        C: BlockCipher + BlockEncrypt + BlockSizeUser<BlockSize = U16> + Clone + 'static,
    {
        let mut key = Block::default();
        aes.encrypt_block(&mut key);
        let hash = GHash::new(&key);
        let mut first = Block::default();
        if iv.len() == 12 {
            first[..12].copy_from_slice(iv);
            first[15] = 1;
        } else {
            let mut hash = hash.clone();
            hash.update_padded(iv);
            let mut lengths = Block::default();
            lengths[8..].copy_from_slice(&(iv.len() as u64 * 8).to_be_bytes());
            hash.update(&[lengths]);
            first = hash.finalize();
        }
        let core = ctr::CtrCore::<C, ctr::flavors::Ctr32BE>::inner_iv_init(aes, &first);
        let mut stream = aes::cipher::StreamCipherCoreWrapper::from_core(core);
        let mut mask = Block::default();
        stream.apply_keystream(&mut mask);
        let stream = Box::new(move |bytes: &mut [u8]| stream.apply_keystream(bytes));
        Self { stream, hash, rest: Vec::new(), data_length: 0, text_length: 0, mask }
    }

    fn absorb(&mut self, mut bytes: &[u8]) {
        if !self.rest.is_empty() {
            let (first, after) = bytes.split_at(bytes.len().min(BLOCK - self.rest.len()));
            self.rest.extend(first);
            bytes = after;
            if self.rest.len() < BLOCK {
                return;
            }
            self.hash.update_padded(&std::mem::take(&mut self.rest));
        }
        let (whole, rest) = bytes.split_at(bytes.len() / BLOCK * BLOCK);
        self.hash.update_padded(whole);
        self.rest = rest.to_vec();
    }

    fn pad(&mut self) {
        self.hash.update_padded(&std::mem::take(&mut self.rest));
    }

    fn authenticate(&mut self, data: &[u8]) {
        self.data_length += data.len() as u64;
        self.absorb(data);
    }

    fn update(&mut self, bytes: &[u8], is_encrypting: bool) -> Vec<u8> {
        if self.text_length == 0 {
            self.pad();
        }
        self.text_length += bytes.len() as u64;
        let mut made = bytes.to_vec();
        (self.stream)(&mut made);
        self.absorb(if is_encrypting { &made } else { bytes });
        made
    }

    fn finish(mut self) -> Block {
        self.pad();
        let mut lengths = Block::default();
        lengths[..8].copy_from_slice(&(self.data_length * 8).to_be_bytes());
        lengths[8..].copy_from_slice(&(self.text_length * 8).to_be_bytes());
        self.hash.update(&[lengths]);
        let mut tag = self.hash.finalize();
        tag.iter_mut().zip(self.mask).for_each(|(byte, mask)| *byte ^= mask);
        tag
    }
}
