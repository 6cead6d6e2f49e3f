//! Sealing: tokens are stored on disk encrypted with XChaCha20-Poly1305, under one 32-byte key.
//!
//! Callbacks are signed with an account's token, so tokens must be recoverable and cannot be
//! hashed. The key is in a file next to the database that only its owner can read, or comes from
//! the environment (see [`KEY_VARIABLE`]). A copy of the database alone therefore reveals no token.
//! The purpose of a seal (an account's Sid) is authenticated with it, so one token cannot be
//! swapped for another.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

/// The environment variable with the key, 64 hexadecimal digits. It replaces the key file.
pub const KEY_VARIABLE: &str = "CALLERID_KEY";

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// The key that seals tokens. It is wiped from memory when dropped, and `Debug` does not show it.
#[derive(Clone)]
pub struct SealingKey(XChaCha20Poly1305);

impl SealingKey {
    /// Parses a key: 64 hexadecimal digits. White space around them is ignored.
    ///
    /// # Errors
    /// [`InvalidKey`] for any other text. The error does not contain the text.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let digits = text.trim_ascii().as_bytes();
        let (pairs, []) = digits.as_chunks::<2>() else { return Err(InvalidKey) };
        if pairs.len() != KEY_BYTES {
            return Err(InvalidKey);
        }
        let mut key = [0; KEY_BYTES];
        for (byte, pair) in key.iter_mut().zip(pairs) {
            let digit = |digit: u8| char::from(digit).to_digit(16).ok_or(InvalidKey);
            *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
        }
        Ok(Self(XChaCha20Poly1305::new(&key.into())))
    }

    /// Encrypts bytes for a purpose. Sealing the same bytes again gives a different result.
    ///
    /// # Errors
    /// The operating system's error, if it cannot provide randomness.
    pub fn seal(&self, plain: &[u8], purpose: &[u8]) -> Result<Vec<u8>, getrandom::Error> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce)?;
        let payload = Payload { msg: plain, aad: purpose };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload);
        // Fails only for more than 256 GiB.
        let sealed = sealed.map_err(|_| getrandom::Error::UNEXPECTED)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts bytes that were sealed for this purpose. Returns `None` if the key, the purpose or
    /// any bit differs.
    pub fn unseal(&self, sealed: &[u8], purpose: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: purpose };
        self.0.decrypt(&XNonce::from(*nonce), payload).ok()
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

/// A text that is not a valid key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKey;

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a key is {} hexadecimal digits", KEY_BYTES * 2)
    }
}

impl std::error::Error for InvalidKey {}

/// The key file: the key's digits and a newline, accessible only to its owner.
///
/// A new key is a draft until the database that it seals exists. Therefore a key without a database
/// means that the database has been lost, and a first start that is killed finds its draft again.
#[derive(Clone, Debug)]
pub(crate) struct KeyFile {
    path: PathBuf,
    draft: PathBuf,
}

impl KeyFile {
    pub(crate) fn in_directory(directory: &Path) -> Self {
        Self { path: directory.join("key"), draft: directory.join("key.draft") }
    }

    /// Whether a key exists that is not a draft.
    pub(crate) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Reads the key; `None` if the file does not exist. A draft becomes the key, because its
    /// database exists.
    pub(crate) fn read(&self) -> Result<Option<SealingKey>, KeyError> {
        if let Some(key) = read(&self.path)? {
            return Ok(Some(key));
        }
        match fs::rename(&self.draft, &self.path) {
            Ok(()) => sync_directory(&self.path).map_err(|error| self.not_created(error))?,
            // Another process may have done this already.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(self.not_created(error)),
        }
        read(&self.path)
    }

    /// Reads the draft of a new key, or creates one. The draft is created atomically and durably.
    /// If several processes create one at the same time, all get the same key.
    pub(crate) fn draft(&self) -> Result<SealingKey, KeyError> {
        if let Some(key) = read(&self.draft)? {
            return Ok(key);
        }
        let key = random_digits::<KEY_BYTES>().map_err(|error| self.not_created(error))?;
        let name =
            format!("key.{}", random_digits::<8>().map_err(|error| self.not_created(error))?);
        let written = self.path.with_file_name(name);
        // Linking, unlike renaming, fails if the name exists.
        let link = || match fs::hard_link(&written, &self.draft) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        };
        let made = write_durably(&written, &format!("{key}\n")).and_then(|()| link());
        let _ = fs::remove_file(&written);
        made.and_then(|()| sync_directory(&self.path)).map_err(|error| self.not_created(error))?;
        read(&self.draft)?.ok_or_else(|| self.missing())
    }

    pub(crate) fn missing(&self) -> KeyError {
        KeyError::Missing { path: self.path.clone() }
    }

    fn not_created(&self, source: io::Error) -> KeyError {
        KeyError::NotCreated { path: self.path.clone(), source }
    }
}

/// Reads the key in a file that must exist.
///
/// # Errors
/// [`KeyError`], which says what the problem is.
pub(crate) fn read_key_file(path: &Path) -> Result<SealingKey, KeyError> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, "there is no such file");
    read(path)?.ok_or_else(|| KeyError::Unreadable { path: path.into(), source: missing() })
}

fn read(path: &Path) -> Result<Option<SealingKey>, KeyError> {
    let failed = |source| KeyError::Unreadable { path: path.into(), source };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(metadata) => {
            if let Some(mode) = mode_open_to_others(&metadata) {
                return Err(KeyError::TooOpen { path: path.into(), mode });
            }
        }
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    SealingKey::parse(&text).map(Some).map_err(|_| KeyError::NoKey { path: path.into() })
}

pub(crate) fn random_digits<const BYTES: usize>() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn write_durably(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    owner_only(&mut options);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Makes a new name in a file's directory durable.
pub(crate) fn sync_directory(of: &Path) -> io::Result<()> {
    match of.parent() {
        Some(directory) if directory.as_os_str().is_empty() && cfg!(unix) => {
            File::open(".")?.sync_all()
        }
        Some(directory) if cfg!(unix) => File::open(directory)?.sync_all(),
        _ => Ok(()),
    }
}

/// Makes files that are created with these options accessible only to their owner.
pub(crate) fn owner_only(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

#[cfg(unix)]
pub(crate) fn mode_open_to_others(metadata: &fs::Metadata) -> Option<u32> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
pub(crate) fn mode_open_to_others(_: &fs::Metadata) -> Option<u32> {
    None
}

/// Why there is no usable key.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// Tokens have been sealed, but the key file is missing.
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Users other than its owner can read or write the key file.
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file does not contain a key.
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A new key file cannot be created.
    NotCreated {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Tokens have been sealed with another key.
    Wrong,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(
                f,
                "the key that tokens were sealed with is not in {}: put it back, or set {KEY_VARIABLE}",
                path.display()
            ),
            Self::TooOpen { path, mode } => write!(
                f,
                "{0} has mode {mode:o}, so others than its owner may read the key: chmod 600 {0}",
                path.display()
            ),
            Self::NoKey { path } => write!(f, "{} holds no key: {InvalidKey}", path.display()),
            Self::Unreadable { path, source } => {
                write!(f, "cannot read the key {}: {source}", path.display())
            }
            Self::NotCreated { path, source } => {
                write!(f, "cannot make the key {}: {source}", path.display())
            }
            Self::Wrong => write!(f, "tokens were sealed with another key than the one given"),
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } | Self::NotCreated { source, .. } => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SealingKey {
        SealingKey::parse(&format!("{byte:02x}").repeat(KEY_BYTES)).unwrap()
    }

    #[test]
    fn unsealing_needs_the_same_key_and_purpose() {
        let sealed = key(1).seal(b"secret", b"AC1").unwrap();
        assert_eq!(key(1).unseal(&sealed, b"AC1").as_deref(), Some(&b"secret"[..]));
        assert_eq!(key(2).unseal(&sealed, b"AC1"), None);
        assert_eq!(key(1).unseal(&sealed, b"AC2"), None);
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert_eq!(key(1).unseal(&bent, b"AC1"), None, "byte {at}");
            assert_eq!(key(1).unseal(&sealed[..at], b"AC1"), None, "{at} bytes");
        }
    }

    #[test]
    fn sealing_twice_gives_different_bytes() {
        assert_ne!(key(1).seal(b"secret", b"").unwrap(), key(1).seal(b"secret", b"").unwrap());
    }

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        assert!(SealingKey::parse(&format!(" {}\n", "aF".repeat(32))).is_ok());
        for text in ["", "ab", &"ab".repeat(31), &"ab".repeat(33), &"ag".repeat(32)] {
            assert_eq!(SealingKey::parse(text).unwrap_err(), InvalidKey, "{text}");
        }
        assert_eq!(SealingKey::parse(&"é".repeat(32)).unwrap_err(), InvalidKey);
        assert_eq!(format!("{:?}", key(1)), "SealingKey(…)");
    }

    #[test]
    fn a_key_file_is_made_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = KeyFile::in_directory(directory.path());
        let sealed = file.draft().unwrap().seal(b"x", b"").unwrap();
        assert!(file.draft().unwrap().unseal(&sealed, b"").is_some());
        assert!(!file.exists());
        for _ in 0..2 {
            assert!(file.read().unwrap().unwrap().unseal(&sealed, b"").is_some());
            assert!(file.exists());
        }
        let names: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        #[cfg(unix)]
        assert_eq!(mode_open_to_others(&fs::metadata(&file.path).unwrap()), None);
    }

    #[test]
    fn many_that_make_a_key_file_get_the_same_key() {
        let directory = tempfile::tempdir().unwrap();
        let file = KeyFile::in_directory(directory.path());
        let keys: Vec<SealingKey> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| file.draft())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
        });
        let sealed = keys[0].seal(b"x", b"").unwrap();
        assert!(keys.iter().all(|key| key.unseal(&sealed, b"").is_some()));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_other_users_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let file = KeyFile::in_directory(directory.path());
        file.draft().unwrap();
        file.read().unwrap().unwrap();
        fs::set_permissions(&file.path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = file.read().unwrap_err().to_string();
        let path = file.path.display();
        assert_eq!(
            error,
            format!(
                "{path} has mode 640, so others than its owner may read the key: chmod 600 {path}"
            )
        );
    }

    #[test]
    fn a_file_that_holds_no_key_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = KeyFile::in_directory(directory.path());
        write_durably(&file.path, "banana\n").unwrap();
        let error = file.read().unwrap_err().to_string();
        assert!(error.ends_with("key holds no key: a key is 64 hexadecimal digits"), "{error}");
    }
}
