//! The primitive fields of saved SAs: fixed-width numbers in network order, lengths in front of what varies.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use ipsec_crypto::Secret;
use zeroize::Zeroizing;

use super::PersistError;

/// Writes fields. When it grows the old memory is wiped.
pub(super) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    pub(super) fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(512)))
    }

    pub(super) fn put(&mut self, octets: &[u8]) {
        let needed = self.0.len() + octets.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two()));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(octets);
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.put(&[value]);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.put(&value.to_be_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.put(&value.to_be_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.put(&value.to_be_bytes());
    }

    /// With one octet of length: names and keys are shorter.
    pub(super) fn short(&mut self, octets: &[u8]) {
        let octets = octets.get(..usize::from(u8::MAX)).unwrap_or(octets);
        self.u8(u8::try_from(octets.len()).unwrap_or(u8::MAX));
        self.put(octets);
    }

    /// With four octets of length.
    pub(super) fn long(&mut self, octets: &[u8]) {
        self.u32(u32::try_from(octets.len()).unwrap_or(u32::MAX));
        self.put(octets);
    }

    pub(super) fn option(&mut self, value: Option<u64>) {
        match value {
            None => self.u8(0),
            Some(value) => {
                self.u8(1);
                self.u64(value);
            }
        }
    }

    pub(super) fn duration(&mut self, value: Duration) {
        self.u64(value.as_secs());
        self.u32(value.subsec_nanos());
    }

    pub(super) fn address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(v4) => {
                self.u8(4);
                self.put(&v4.octets());
            }
            IpAddr::V6(v6) => {
                self.u8(6);
                self.put(&v6.octets());
            }
        }
    }

    pub(super) fn socket(&mut self, socket: SocketAddr) {
        self.address(socket.ip());
        self.u16(socket.port());
        if let SocketAddr::V6(v6) = socket {
            self.u32(v6.scope_id());
        }
    }

    /// The place of `value` in its list.
    pub(super) fn one_of<T: PartialEq>(&mut self, values: &[T], value: &T) {
        let place = values.iter().position(|other| other == value);
        self.u8(place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX));
    }

    pub(super) fn finish(self) -> Secret {
        Secret::from_slice(&self.0)
    }
}

/// Reads what a [`Writer`] has written. Every length is checked before it is believed.
pub(super) struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], PersistError> {
        let end = self.at.checked_add(count).ok_or(PersistError::Truncated { at: self.at })?;
        let taken = self.octets.get(self.at..end).ok_or(PersistError::Truncated { at: self.at })?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PersistError> {
        let at = self.at;
        self.take(N)?.try_into().map_err(|_| PersistError::Truncated { at })
    }

    pub(super) fn u8(&mut self) -> Result<u8, PersistError> {
        self.array().map(|[octet]| octet)
    }

    pub(super) fn u16(&mut self) -> Result<u16, PersistError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, PersistError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, PersistError> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn short(&mut self) -> Result<&'a [u8], PersistError> {
        let length = self.u8()?;
        self.take(length.into())
    }

    pub(super) fn long(&mut self) -> Result<&'a [u8], PersistError> {
        let at = self.at;
        let length = usize::try_from(self.u32()?).map_err(|_| PersistError::Truncated { at })?;
        self.take(length)
    }

    /// A name of a table.
    pub(super) fn named<T>(
        &mut self,
        what: &'static str,
        find: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, PersistError> {
        let at = self.at;
        let name = core::str::from_utf8(self.short()?).ok();
        name.and_then(find).ok_or(PersistError::Invalid { what, at })
    }

    pub(super) fn option(&mut self, what: &'static str) -> Result<Option<u64>, PersistError> {
        let at = self.at;
        match self.u8()? {
            0 => Ok(None),
            1 => self.u64().map(Some),
            _ => Err(PersistError::Invalid { what, at }),
        }
    }

    pub(super) fn duration(&mut self) -> Result<Duration, PersistError> {
        let at = self.at;
        let (seconds, nanoseconds) = (self.u64()?, self.u32()?);
        if nanoseconds >= 1_000_000_000 {
            return Err(PersistError::Invalid { what: "time", at });
        }
        Ok(Duration::new(seconds, nanoseconds))
    }

    pub(super) fn address(&mut self) -> Result<IpAddr, PersistError> {
        let at = self.at;
        match self.u8()? {
            4 => self.array::<4>().map(IpAddr::from),
            6 => self.array::<16>().map(IpAddr::from),
            _ => Err(PersistError::Invalid { what: "address", at }),
        }
    }

    pub(super) fn socket(&mut self) -> Result<SocketAddr, PersistError> {
        let (address, port) = (self.address()?, self.u16()?);
        Ok(match address {
            IpAddr::V4(_) => SocketAddr::new(address, port),
            IpAddr::V6(v6) => SocketAddrV6::new(v6, port, 0, self.u32()?).into(),
        })
    }

    /// The value at a place of a list.
    pub(super) fn one_of<T: Copy>(&mut self, values: &[T], what: &'static str) -> Result<T, PersistError> {
        let at = self.at;
        let place = self.u8()?;
        values.get(usize::from(place)).copied().ok_or(PersistError::Invalid { what, at })
    }

    pub(super) fn end(&self) -> Result<(), PersistError> {
        if self.at == self.octets.len() { Ok(()) } else { Err(PersistError::Trailing { at: self.at }) }
    }
}
