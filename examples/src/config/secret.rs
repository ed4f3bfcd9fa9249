//! Pre-shared keys, from files that nobody else may read or from the environment.

use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::file::SecretSource;

/// Longer is no key but a mistake.
const LONGEST: usize = 4096;

/// Why there is no secret. Never holds any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// It is a directory, a device or the like.
    #[error("is no file")]
    NoFile,
    /// Group or others may read or write it.
    #[error("may be used by others: its mode is {0:04o}")]
    Permissions(u32),
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
    /// It has more octets than any key.
    #[error("has more than {LONGEST} octets")]
    TooLong,
    /// The environment variable is not set.
    #[error("is not set")]
    NotSet,
}

impl SecretError {
    /// What to do about it.
    #[must_use]
    pub fn fix(&self, source: &SecretSource) -> String {
        match (self, source) {
            (Self::Permissions(_), SecretSource::File(path)) => format!("chmod 600 {}", path.display()),
            (Self::NotSet, SecretSource::Environment(name)) => {
                format!("export {name} before the gateway starts")
            }
            (Self::Empty | Self::TooLong, _) => "put the pre-shared key into it, and nothing else".to_owned(),
            _ => "name a file that holds the pre-shared key and that the gateway may read".to_owned(),
        }
    }
}

impl SecretSource {
    /// Reads the secret. One newline at its end is not part of it.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn read(&self) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        let mut secret = match self {
            Self::File(path) => read_file(path)?,
            Self::Environment(name) => {
                let value = std::env::var_os(name).ok_or(SecretError::NotSet)?;
                Zeroizing::new(value.into_encoded_bytes())
            }
        };
        if secret.last() == Some(&b'\n') {
            secret.pop();
            if secret.last() == Some(&b'\r') {
                secret.pop();
            }
        }
        match secret.len() {
            0 => Err(SecretError::Empty),
            1..=LONGEST => Ok(secret),
            _ => Err(SecretError::TooLong),
        }
    }
}

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let unreadable = |error: std::io::Error| SecretError::Unreadable(error.to_string());
    // Without `O_NONBLOCK` a FIFO in its place would hold up the start. What is checked is what was opened.
    let nonblocking = nix::fcntl::OFlag::O_NONBLOCK.bits();
    let file =
        std::fs::OpenOptions::new().read(true).custom_flags(nonblocking).open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(SecretError::NoFile);
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SecretError::Permissions(mode));
    }
    // Room for all of it at once: a growing vector would leave copies behind.
    let mut secret = Zeroizing::new(Vec::with_capacity(LONGEST + 3));
    file.take(LONGEST as u64 + 3).read_to_end(&mut secret).map_err(unreadable)?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn read(contents: &[u8], mode: u32) -> Result<Vec<u8>, SecretError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("site.psk");
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        SecretSource::File(path).read().map(|secret| secret.to_vec())
    }

    #[test]
    fn exactly_one_final_newline_is_left_out() {
        assert_eq!(read(b"secret", 0o600).unwrap(), b"secret");
        assert_eq!(read(b"secret\n", 0o400).unwrap(), b"secret");
        assert_eq!(read(b"secret\r\n", 0o600).unwrap(), b"secret");
        assert_eq!(read(b" secret \n\n", 0o600).unwrap(), b" secret \n");
    }

    #[test]
    fn what_others_may_read_or_what_is_no_secret_is_refused() {
        assert_eq!(read(b"secret", 0o640), Err(SecretError::Permissions(0o640)));
        assert_eq!(read(b"secret", 0o604), Err(SecretError::Permissions(0o604)));
        assert_eq!(read(b"\n", 0o600), Err(SecretError::Empty));
        assert_eq!(read(&[b'x'; LONGEST + 1], 0o600), Err(SecretError::TooLong));
        assert_eq!(SecretSource::File("/".into()).read(), Err(SecretError::NoFile));
        assert!(matches!(SecretSource::File("/nonexistent".into()).read(), Err(SecretError::Unreadable(_))));
        assert_eq!(SecretSource::Environment("IPSEC_NO_SUCH_SECRET".into()).read(), Err(SecretError::NotSet));
    }

    #[test]
    fn the_fix_is_a_command_where_there_is_one() {
        let source = SecretSource::File("/etc/ipsec-gateway/site.psk".into());
        assert_eq!(SecretError::Permissions(0o644).fix(&source), "chmod 600 /etc/ipsec-gateway/site.psk");
    }
}
