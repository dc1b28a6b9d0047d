//! The file of an export: whole under its name or not there, or a stream.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Whether `-` is meant: standard input or output.
pub(super) fn is_standard(file: &Path) -> bool {
    file == Path::new("-")
}

/// Opens what is imported.
pub(super) fn open(file: &Path) -> anyhow::Result<Box<dyn Read + Send>> {
    if is_standard(file) {
        return Ok(Box::new(io::stdin()));
    }
    let opened = File::open(file).with_context(|| format!("opening {}", file.display()))?;
    Ok(Box::new(opened))
}

/// What is written: under a temporary name until it is whole, readable for its owner only.
pub(super) enum Output {
    /// Standard output.
    Stream(io::Stdout),
    /// A file.
    File(Part),
}

/// A file that is not whole yet; removed unless it is published.
pub(super) struct Part {
    file: File,
    path: PathBuf,
    name: PathBuf,
    is_published: bool,
}

impl Output {
    pub(super) fn create(file: &Path) -> anyhow::Result<Self> {
        if is_standard(file) {
            return Ok(Self::Stream(io::stdout()));
        }
        let mut part = file.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        // Of an export that was killed.
        let _ = std::fs::remove_file(&part);
        let opened = private(&part).with_context(|| format!("writing {}", part.display()))?;
        Ok(Self::File(Part {
            file: opened,
            path: part,
            name: file.to_owned(),
            is_published: false,
        }))
    }

    /// Makes it last, under its name.
    pub(super) fn publish(self) -> anyhow::Result<()> {
        match self {
            Self::Stream(mut stream) => stream.flush().context("writing standard output"),
            Self::File(mut part) => part
                .publish()
                .with_context(|| format!("writing {}", part.name.display())),
        }
    }
}

impl Part {
    fn publish(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.path, &self.name)?;
        self.is_published = true;
        let folder = self.name.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_published {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stream(stream) => stream.write(bytes),
            Self::File(part) => part.file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stream(stream) => stream.flush(),
            Self::File(part) => part.file.flush(),
        }
    }
}

#[cfg(unix)]
fn private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    const OWNER_ONLY: u32 = 0o600;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(path)
}

#[cfg(not(unix))]
fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}
