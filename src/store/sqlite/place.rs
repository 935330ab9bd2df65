//! Whether a file system keeps what SQLite needs.

use std::path::Path;

use rustix::fs::statfs;

/// File systems whose locks and flushes reach over a network, by their magic numbers (Linux, statfs(2)).
const REMOTE: [(u32, &str); 8] = [
    (0x0000_6969, "NFS"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB"),
    (0x0000_517B, "SMB"),
    (0x5346_414F, "AFS"),
    (0x00C3_6400, "Ceph"),
    (0x0102_1997, "9P"),
    (0x6573_5546, "FUSE"),
];

/// A container's own layer: what is written there is gone with the container.
const OVERLAY: u32 = 0x794C_7630;

/// What stands in the way of a ledger in this folder.
pub(super) fn remote_file_system(folder: &Path) -> Option<&'static str> {
    let kind = kind_of(folder)?;
    REMOTE.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| *name)
}

/// Whether a ledger in this folder is gone with the container.
pub(super) fn is_container_layer(folder: &Path) -> bool {
    kind_of(folder) == Some(OVERLAY)
}

fn kind_of(folder: &Path) -> Option<u32> {
    // A file system that does not tell its kind is none of these.
    let kind = statfs(folder).ok()?.f_type;
    // Some numbers are stored with their sign extended.
    u32::try_from(kind & 0xFFFF_FFFF).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_of_this_machine_is_no_network() {
        let folder = tempfile::tempdir().unwrap();

        assert_eq!(remote_file_system(folder.path()), None);
        assert!(kind_of(folder.path()).is_some());
        assert_eq!(remote_file_system(Path::new("/no/such/folder")), None);
    }
}
