//! Digests and HMACs by their names in OpenSSL, and what is derived by them.

use digest::core_api::BlockSizeUser;
use digest::{Digest, ExtendableOutput, FixedOutput, KeyInit, Update, XofReader};
use hmac::SimpleHmac;

/// A digest algorithm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Algorithm {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512_224,
    Sha512_256,
    Sha3_224,
    Sha3_256,
    Sha3_384,
    Sha3_512,
    Shake128,
    Shake256,
    Ripemd160,
    Blake2b512,
    Blake2s256,
}

/// Runs `$body` with `$digest` as the type of the algorithm; `$shake` for those whose output has any length.
macro_rules! with_digest {
    ($algorithm:expr, $digest:ident => $body:expr, $shake:expr) => {{
        macro_rules! of {
            ($type:ty) => {{
                type $digest = $type;
                $body
            }};
        }
        match $algorithm {
            Algorithm::Md5 => of!(md5::Md5),
            Algorithm::Sha1 => of!(sha1::Sha1),
            Algorithm::Sha224 => of!(sha2::Sha224),
            Algorithm::Sha256 => of!(sha2::Sha256),
            Algorithm::Sha384 => of!(sha2::Sha384),
            Algorithm::Sha512 => of!(sha2::Sha512),
            Algorithm::Sha512_224 => of!(sha2::Sha512_224),
            Algorithm::Sha512_256 => of!(sha2::Sha512_256),
            Algorithm::Sha3_224 => of!(sha3::Sha3_224),
            Algorithm::Sha3_256 => of!(sha3::Sha3_256),
            Algorithm::Sha3_384 => of!(sha3::Sha3_384),
            Algorithm::Sha3_512 => of!(sha3::Sha3_512),
            Algorithm::Ripemd160 => of!(ripemd::Ripemd160),
            Algorithm::Blake2b512 => of!(blake2::Blake2b512),
            Algorithm::Blake2s256 => of!(blake2::Blake2s256),
            Algorithm::Shake128 | Algorithm::Shake256 => $shake,
        }
    }};
}

impl Algorithm {
    /// What `crypto.getHashes()` lists, sorted as OpenSSL sorts.
    pub(crate) const NAMES: [(&'static str, Self); 48] = {
        use Algorithm::*;
        [
            ("RSA-MD5", Md5),
            ("RSA-RIPEMD160", Ripemd160),
            ("RSA-SHA1", Sha1),
            ("RSA-SHA1-2", Sha1),
            ("RSA-SHA224", Sha224),
            ("RSA-SHA256", Sha256),
            ("RSA-SHA3-224", Sha3_224),
            ("RSA-SHA3-256", Sha3_256),
            ("RSA-SHA3-384", Sha3_384),
            ("RSA-SHA3-512", Sha3_512),
            ("RSA-SHA384", Sha384),
            ("RSA-SHA512", Sha512),
            ("RSA-SHA512/224", Sha512_224),
            ("RSA-SHA512/256", Sha512_256),
            ("blake2b512", Blake2b512),
            ("blake2s256", Blake2s256),
            ("id-rsassa-pkcs1-v1_5-with-sha3-224", Sha3_224),
            ("id-rsassa-pkcs1-v1_5-with-sha3-256", Sha3_256),
            ("id-rsassa-pkcs1-v1_5-with-sha3-384", Sha3_384),
            ("id-rsassa-pkcs1-v1_5-with-sha3-512", Sha3_512),
            ("md5", Md5),
            ("md5WithRSAEncryption", Md5),
            ("ripemd", Ripemd160),
            ("ripemd160", Ripemd160),
            ("ripemd160WithRSA", Ripemd160),
            ("rmd160", Ripemd160),
            ("sha1", Sha1),
            ("sha1WithRSAEncryption", Sha1),
            ("sha224", Sha224),
            ("sha224WithRSAEncryption", Sha224),
            ("sha256", Sha256),
            ("sha256WithRSAEncryption", Sha256),
            ("sha3-224", Sha3_224),
            ("sha3-256", Sha3_256),
            ("sha3-384", Sha3_384),
            ("sha3-512", Sha3_512),
            ("sha384", Sha384),
            ("sha384WithRSAEncryption", Sha384),
            ("sha512", Sha512),
            ("sha512-224", Sha512_224),
            ("sha512-224WithRSAEncryption", Sha512_224),
            ("sha512-256", Sha512_256),
            ("sha512-256WithRSAEncryption", Sha512_256),
            ("sha512WithRSAEncryption", Sha512),
            ("shake128", Shake128),
            ("shake256", Shake256),
            ("ssl3-md5", Md5),
            ("ssl3-sha1", Sha1),
        ]
    };

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        /// Further names that OpenSSL knows, but does not list.
        const OTHERS: [(&str, Algorithm); 12] = {
            use Algorithm::*;
            [
                ("sha-1", Sha1),
                ("sha-224", Sha224),
                ("sha-256", Sha256),
                ("sha-384", Sha384),
                ("sha-512", Sha512),
                ("sha2-224", Sha224),
                ("sha2-256", Sha256),
                ("sha2-384", Sha384),
                ("sha2-512", Sha512),
                ("sha512/224", Sha512_224),
                ("sha512/256", Sha512_256),
                ("ripemd-160", Ripemd160),
            ]
        };
        let mut all = Self::NAMES.iter().chain(&OTHERS);
        all.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(_, algorithm)| algorithm)
    }

    /// How many bytes it makes; for those that make any number, how many unless told otherwise.
    pub(crate) fn size(self) -> usize {
        let shake = if self == Self::Shake128 { 16 } else { 32 };
        with_digest!(self, D => <D as Digest>::output_size(), shake)
    }

    pub(crate) fn is_extendable(self) -> bool {
        matches!(self, Self::Shake128 | Self::Shake256)
    }

    pub(crate) fn hasher(self) -> Box<dyn Hasher> {
        with_digest!(self, D => Box::new(Fixed(<D as Digest>::new())), match self {
            Self::Shake128 => Box::new(Extendable(sha3::Shake128::default())),
            _ => Box::new(Extendable(sha3::Shake256::default())),
        })
    }

    /// `None` if there is no HMAC with this algorithm.
    pub(crate) fn hmac(self, key: &[u8]) -> Option<Box<dyn Hasher>> {
        fn keyed<D: Digest + BlockSizeUser + Clone + 'static>(key: &[u8]) -> Option<Box<dyn Hasher>>
        where
            SimpleHmac<D>: FixedOutput + Update + Clone,
        {
            let hmac = <SimpleHmac<D> as KeyInit>::new_from_slice(key).ok()?;
            Some(Box::new(Fixed(hmac)))
        }
        with_digest!(self, D => keyed::<D>(key), None)
    }

    /// PBKDF2 (RFC 8018); `false` if the algorithm does not serve for it.
    pub(crate) fn pbkdf2(self, password: &[u8], salt: &[u8], rounds: u32, key: &mut [u8]) -> bool {
        with_digest!(self, D => pbkdf2::pbkdf2::<SimpleHmac<D>>(password, salt, rounds, key).is_ok(), false)
    }

    /// HKDF (RFC 5869); `false` if the algorithm does not serve for it or the key is too long.
    pub(crate) fn hkdf(self, secret: &[u8], salt: &[u8], info: &[u8], key: &mut [u8]) -> bool {
        with_digest!(self, D => hkdf::SimpleHkdf::<D>::new(Some(salt), secret).expand(info, key).is_ok(), false)
    }
}

/// A digest or HMAC in the making.
pub(crate) trait Hasher {
    fn update(&mut self, bytes: &[u8]);
    /// The result; `length` counts only if the algorithm makes any number of bytes.
    fn finish(self: Box<Self>, length: usize) -> Vec<u8>;
    fn copy(&self) -> Box<dyn Hasher>;
}

struct Fixed<D>(D);

impl<D: Update + FixedOutput + Clone + 'static> Hasher for Fixed<D> {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self: Box<Self>, _: usize) -> Vec<u8> {
        self.0.finalize_fixed().to_vec()
    }

    fn copy(&self) -> Box<dyn Hasher> {
        Box::new(Self(self.0.clone()))
    }
}

struct Extendable<D>(D);

impl<D: Update + ExtendableOutput + Clone + 'static> Hasher for Extendable<D> {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self: Box<Self>, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.finalize_xof().read(&mut bytes);
        bytes
    }

    fn copy(&self) -> Box<dyn Hasher> {
        Box::new(Self(self.0.clone()))
    }
}
