//! Room on the disk, and a ballast to throw out when there is none: on a full disk SQLite cannot even delete
//! (reference: delivery B9).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// How much there is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// What we may still use.
    pub(super) free: u64,
    /// The whole file system.
    pub(super) whole: u64,
}

/// The room where this file stands or would stand; none: it cannot be told.
pub(super) fn room_beside(file: &Path) -> Option<Room> {
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
    room(folder.unwrap_or(Path::new(".")))
}

fn room(folder: &Path) -> Option<Room> {
    let told = statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(told.f_frsize);
    Some(Room { free: bytes(told.f_bavail), whole: bytes(told.f_blocks) })
}

/// A file that only takes up room.
#[derive(Clone, Debug)]
pub(super) struct Ballast {
    file: PathBuf,
    bytes: u64,
}

impl Ballast {
    /// Beside the ledger, of so many bytes; 0: none.
    pub(super) fn beside(ledger: &Path, bytes: u64) -> Self {
        Self { file: ledger.with_extension("ballast"), bytes }
    }

    /// Throws it out when less than a quarter of its size is free, and takes it aboard again when more than
    /// `enough` would be left.
    pub(super) fn trim(&self, free: u64, enough: u64) {
        let aboard = self.file.exists();
        if aboard && (self.bytes == 0 || free < self.bytes / 4) {
            match fs::remove_file(&self.file) {
                Ok(()) if self.bytes == 0 => {}
                Ok(()) => tracing::error!(free_bytes = free, "the disk is full; the ballast was thrown out"),
                Err(error) => tracing::error!(kind = ?error.kind(), "the ballast could not be thrown out"),
            }
        } else if !aboard && self.bytes > 0 && free > self.bytes.saturating_add(enough) {
            self.take_aboard().unwrap_or_else(|error| {
                tracing::warn!(kind = ?error.kind(), "the ballast could not be taken aboard");
            });
        }
    }

    /// A half-made one is worth nothing and is taken away.
    fn take_aboard(&self) -> io::Result<()> {
        let file = File::create(&self.file)?;
        let made = fallocate(&file, FallocateFlags::empty(), 0, self.bytes);
        made.map_err(|error| {
            // What could not be made is small; that it stays does no harm.
            let _ = fs::remove_file(&self.file);
            error.into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 1 << 20;

    fn ballast(bytes: u64) -> (tempfile::TempDir, Ballast) {
        let folder = tempfile::tempdir().unwrap();
        let ballast = Ballast::beside(&folder.path().join("gateway.db"), bytes);
        (folder, ballast)
    }

    #[test]
    fn a_ballast_takes_up_real_room_and_goes_when_the_disk_is_full() {
        use std::os::unix::fs::MetadataExt as _;

        let (_folder, ballast) = ballast(SIZE);

        ballast.trim(3 * SIZE, SIZE);
        assert_eq!(ballast.file.metadata().unwrap().len(), SIZE);
        assert!(ballast.file.metadata().unwrap().blocks() * 512 >= SIZE, "no hole");
        ballast.trim(SIZE / 4, SIZE);
        assert!(ballast.file.exists(), "a quarter of it is still free");
        ballast.trim(SIZE / 4 - 1, SIZE);
        assert!(!ballast.file.exists());
        ballast.trim(2 * SIZE, SIZE);
        assert!(!ballast.file.exists(), "there would not be enough left");
        ballast.trim(2 * SIZE + 1, SIZE);
        assert!(ballast.file.exists());
    }

    #[test]
    fn a_ballast_that_is_switched_off_goes() {
        let (folder, ballast) = ballast(SIZE);
        ballast.trim(3 * SIZE, 0);

        let off = Ballast::beside(&folder.path().join("gateway.db"), 0);
        off.trim(3 * SIZE, 0);

        assert!(!ballast.file.exists());
    }

    #[test]
    fn the_room_of_a_folder_is_told() {
        let room = room(&std::env::temp_dir()).unwrap();

        assert!(0 < room.free && room.free <= room.whole);
        assert_eq!(super::room(Path::new("/nowhere/at/all")), None);
    }
}
