//! Creates an object of a local store from a file, without holding it in memory.
//!
//! The bytes are staged beside their place under a name that listings of the store leave out, reach the disk, and appear
//! by a hard link: it either makes the whole object or finds another one there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use pipeline::ports::store::Put;

/// Bytes compared at once.
const PIECE_BYTES: usize = 64 * 1024;
/// Others that stage the same object at the same moment.
const STAGED_MAX: u32 = 10_000;

/// Makes `target`, which is below `root`, from `source`.
pub(super) fn create(root: &Path, target: &Path, source: &Path) -> io::Result<Put> {
    let mut from = File::open(source)?;
    let folder = target.parent().unwrap_or(root);
    fs::create_dir_all(folder)?;
    let staged = Staged::of(target)?;
    let mut to = OpenOptions::new().write(true).open(&staged.0)?;
    io::copy(&mut from, &mut to)?;
    to.sync_all()?;
    if let Err(error) = fs::hard_link(&staged.0, target) {
        return match same_bytes(&staged.0, target) {
            Ok(true) => Ok(Put::Created),
            Ok(false) => Ok(Put::AlreadyThere),
            Err(_) => Err(error),
        };
    }
    // The name is in the folder, and the folder in its own: each of them has to reach the disk.
    for folder in folder.ancestors().take_while(|folder| folder.starts_with(root)) {
        File::open(folder)?.sync_all()?;
    }
    Ok(Put::Created)
}

/// A file that goes away with the value.
struct Staged(PathBuf);

impl Staged {
    /// `name#number` is how the store's library names what it stages; it leaves such names out of lists.
    fn of(target: &Path) -> io::Result<Self> {
        for number in 0..STAGED_MAX {
            let mut name = target.as_os_str().to_owned();
            name.push(format!("#{number}"));
            match OpenOptions::new().write(true).create_new(true).open(&name) {
                Ok(_) => return Ok(Self(PathBuf::from(name))),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("too many staged files beside the object"))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // What stays behind is never listed and never read.
        fs::remove_file(&self.0).ok();
    }
}

fn same_bytes(left: &Path, right: &Path) -> io::Result<bool> {
    let (left, right) = (File::open(left)?, File::open(right)?);
    if left.metadata()?.len() != right.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (BufReader::new(left), BufReader::new(right));
    let (mut here, mut there) = (vec![0; PIECE_BYTES], vec![0; PIECE_BYTES]);
    loop {
        let read = left.read(&mut here)?;
        if read == 0 {
            return Ok(true);
        }
        right.read_exact(&mut there[..read])?;
        if here[..read] != there[..read] {
            return Ok(false);
        }
    }
}
