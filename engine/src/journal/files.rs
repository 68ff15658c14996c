//! Whether a file can be a journal, looked at before SQLite opens it, so that the refusal says
//! what is wrong.

#![allow(unsafe_code, reason = "statfs; the block states why it holds")]

use std::ffi::CString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Which file it is, whatever its name: device and inode.
pub(crate) type Identity = (u64, u64);

/// Makes directory and file where they are missing, and gives the open file; or a sentence on
/// what was found and what is expected.
pub(crate) fn prepare(path: &Path, make: bool) -> Result<File, String> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    if let Err(error) = fs::metadata(&directory) {
        if error.kind() != ErrorKind::NotFound || !make {
            return Err(explain(&directory, "directory", &error));
        }
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&directory).map_err(|error| explain(&directory, "directory", &error))?;
    }
    if let Some(kind) = network(&directory) {
        return Err(format!(
            "{} is on a file system of kind {kind}, where locks and shared memory do not reach all writers; \
             expected a local disk: move the journal, or use postgres://",
            directory.display()
        ));
    }
    // SQLite would make it with the process's umask.
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && make => {
            let made = options.create(true).truncate(false).open(path);
            // Its name must last as long as its content.
            let _ = File::open(&directory).and_then(|directory| directory.sync_all());
            made
        }
        opened => opened,
    }
    .and_then(|file| match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is no regular file")),
    })
    .map_err(|error| explain(path, "file", &error))
}

/// Makes a new file that only its owner may read.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
}

/// Has a file, and its name, on the disk.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// What an error of the system means for a journal.
pub(crate) fn explain(path: &Path, what: &str, error: &io::Error) -> String {
    let path = path.display();
    match error.kind() {
        ErrorKind::ReadOnlyFilesystem => {
            format!(
                "{what} {path} is on a read-only file system; expected a disk that can be written: remount or move it"
            )
        }
        ErrorKind::PermissionDenied => format!(
            "no permission for {what} {path}; expected one that the user of this process may read and write: \
             change its owner or mode"
        ),
        ErrorKind::IsADirectory => format!("{path} is a directory; expected a file: name one in it"),
        ErrorKind::NotADirectory => {
            format!("a part of {path} is not a directory; expected the path of a file")
        }
        ErrorKind::NotFound => {
            format!("{what} {path} is not there; expected it: it was removed or never made")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => full(),
        _ => {
            format!("{what} {path} cannot be opened ({error}); expected a file that can be read and written")
        }
    }
}

pub(crate) fn full() -> String {
    "the disk is full; expected room for the journal: make some, or move it".to_owned()
}

pub(crate) fn identity(path: &Path) -> io::Result<Identity> {
    fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

/// Whether a file is an SQLite database that keeps a log: the two bytes that say so in
/// <https://sqlite.org/fileformat2.html>, section 1.3.
pub(crate) fn has_log(file: &File) -> bool {
    let mut versions = [0; 2];
    file.read_exact_at(&mut versions, 18).is_ok() && versions == [2, 2]
}

/// How often this process has a file open, by any library.
pub(crate) fn times_open(file: Identity) -> usize {
    let Ok(descriptors) = fs::read_dir("/proc/self/fd") else { return 0 };
    let same = |entry: &fs::DirEntry| identity(&entry.path()).is_ok_and(|found| found == file);
    descriptors.flatten().filter(same).count()
}

/// The kind of file system, if it is one of those that several machines share or that do not
/// share memory between processes.
fn network(directory: &Path) -> Option<String> {
    let path = CString::new(directory.as_os_str().as_bytes()).ok()?;
    let mut found = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: a path that ends in NUL, and room for the answer.
    let failed = unsafe { libc::statfs(path.as_ptr(), found.as_mut_ptr()) };
    if failed != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so it has filled it in.
    let magic = unsafe { found.assume_init() }.f_type as u32;
    let mounts = || fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let device = || fs::metadata(directory).map_or(0, |found| found.dev());
    refused(magic, || fuse_kind(&mounts(), device()))
}

/// By the magic numbers of statfs(2).
fn refused(magic: u32, fuse: impl FnOnce() -> Option<String>) -> Option<String> {
    let name = match magic {
        0x6969 => "nfs",
        0xFF53_4D42 => "cifs",
        0xFE53_4D42 | 0x517B => "smb",
        0x0102_1997 => "9p",
        0x00C3_6400 => "ceph",
        0x0BD0_0BD0 => "lustre",
        0x5346_414F | 0x6B41_4653 => "afs",
        0x7375_7245 => "coda",
        0x564C => "ncp",
        0x7461_636F => "ocfs2",
        0x0116_1970 => "gfs2",
        0x786F_4256 => "vboxsf",
        0x6573_5546 => {
            // Disks that a program reads, and the layers of containers, are local.
            let kind = fuse().unwrap_or_else(|| "fuse".to_owned());
            return (!matches!(kind.as_str(), "fuseblk" | "fuse.fuse-overlayfs")).then_some(kind);
        }
        _ => return None,
    };
    Some(name.to_owned())
}

/// The kind of the mount of a device, in the form of /proc/self/mountinfo.
fn fuse_kind(mounts: &str, device: u64) -> Option<String> {
    let device = format!("{}:{}", libc::major(device), libc::minor(device));
    let line = mounts.lines().find(|line| line.split(' ').nth(2) == Some(&device))?;
    let (_, tail) = line.split_once(" - ")?;
    tail.split(' ').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_the_network_are_refused() {
        let kind = |magic, fuse: &str| refused(magic, || Some(fuse.to_owned()));
        for (magic, fuse) in [(0x6969, ""), (0xFF53_4D42, ""), (0xFE53_4D42, ""), (0x6573_5546, "fuse.sshfs")]
        {
            assert!(kind(magic, fuse).is_some(), "{magic:x}");
        }
        // ext, tmpfs, overlay, xfs, btrfs; a disk of another system.
        for magic in [0xEF53, 0x0102_1994, 0x794C_7630, 0x5846_5342, 0x9123_683E] {
            assert_eq!(kind(magic, ""), None, "{magic:x}");
        }
        assert_eq!(kind(0x6573_5546, "fuseblk"), None);
        assert_eq!(network(&std::env::temp_dir()), None);
        let mounts = "36 35 0:45 / /mnt rw,nosuid shared:1 - fuse.sshfs me@there:/ rw\n";
        assert_eq!(fuse_kind(mounts, libc::makedev(0, 45)).as_deref(), Some("fuse.sshfs"));
    }
}
