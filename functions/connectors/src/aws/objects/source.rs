//! The bytes to store, and their SHA-256 as S3 writes it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// Bytes hashed at once.
const PIECE_BYTES: usize = 256 * 1024;

/// SHA-256 in base64.
#[derive(Default)]
pub(super) struct Hasher(Sha256);

impl Hasher {
    pub(super) fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    pub(super) fn finish(self) -> String {
        STANDARD.encode(self.0.finalize())
    }
}

enum Body {
    Bytes(Bytes),
    File(PathBuf),
}

/// What to store, measured before it is sent.
pub(super) struct Source {
    body: Body,
    bytes: u64,
    checksum: String,
}

impl Source {
    pub(super) fn of_bytes(bytes: Bytes) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(&bytes);
        Self { bytes: bytes.len() as u64, checksum: hasher.finish(), body: Body::Bytes(bytes) }
    }

    /// Reads the file once for its checksum; it is read again when it is sent.
    pub(super) async fn of_file(path: &Path) -> std::io::Result<Self> {
        let path = path.to_owned();
        let read = tokio::task::spawn_blocking(move || {
            let mut file = std::fs::File::open(&path)?;
            let (mut hasher, mut bytes) = (Hasher::default(), 0);
            let mut piece = vec![0; PIECE_BYTES];
            loop {
                match file.read(&mut piece)? {
                    0 => break,
                    count => {
                        hasher.update(&piece[..count]);
                        bytes += count as u64;
                    }
                }
            }
            Ok(Self { bytes, checksum: hasher.finish(), body: Body::File(path) })
        });
        read.await.map_err(std::io::Error::other)?
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn checksum(&self) -> &str {
        &self.checksum
    }

    /// The file, where the bytes are in one.
    pub(super) fn file(&self) -> Option<&Path> {
        match &self.body {
            Body::File(path) => Some(path),
            Body::Bytes(_) => None,
        }
    }

    /// The bytes, where they are in memory.
    pub(super) fn memory(&self) -> Option<&Bytes> {
        match &self.body {
            Body::Bytes(bytes) => Some(bytes),
            Body::File(_) => None,
        }
    }
}
