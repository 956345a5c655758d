//! Files that a child can open by a path and that have no name in any folder, so that they are gone with this process
//! however it ends.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file for children to read.
#[derive(Debug)]
pub(crate) struct Nameless {
    /// Keeps it alive.
    _file: File,
    path: PathBuf,
    named: bool,
}

impl Nameless {
    /// One that holds these bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn new(what: &str, bytes: &[u8]) -> io::Result<Nameless> {
        use std::os::fd::AsRawFd;
        let fd = rustix::fs::memfd_create(format!("why401-{what}"), rustix::fs::MemfdFlags::CLOEXEC)?;
        let mut file = File::from(fd);
        file.write_all(bytes)?;
        let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()));
        Ok(Nameless { _file: file, path, named: false })
    }

    /// One that holds these bytes. Here it has a name, which is taken away when this is dropped; it holds nothing secret.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn new(what: &str, bytes: &[u8]) -> io::Result<Nameless> {
        let path = std::env::temp_dir().join(format!("why401-{}-{what}", std::process::id()));
        let mut file = File::options().write(true).create_new(true).open(&path)?;
        file.write_all(bytes)?;
        Ok(Nameless { _file: file, path, named: true })
    }

    /// The path that opens it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Nameless {
    fn drop(&mut self) {
        if self.named {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_by_its_path_as_often_as_one_likes() {
        let file = Nameless::new("test", b"text").unwrap();
        for _ in 0..2 {
            assert_eq!(std::fs::read(file.path()).unwrap(), b"text");
        }
        let path = file.path().to_owned();
        drop(file);
        assert!(std::fs::read(path).is_err());
    }
}
