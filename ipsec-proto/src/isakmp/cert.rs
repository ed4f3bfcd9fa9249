//! The Certificate and Certificate Request payloads (RFC 2408 §3.9, §3.10).

use alloc::vec::Vec;

use crate::codec::{Reader, Writer};
use crate::error::{DecodeError, EncodeError};
use crate::registry::CertEncoding;

/// A certificate, a chain or a CRL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Certificate {
    /// The kind of data.
    pub encoding: CertEncoding,
    /// The certificate data.
    pub data: Vec<u8>,
}

/// A wish for a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CertificateRequest {
    /// The kind of certificate wanted.
    pub encoding: CertEncoding,
    /// The authority it should come from: for X.509 a DER name; empty means any.
    pub authority: Vec<u8>,
}

impl Certificate {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Truncated`](crate::DecodeErrorKind::Truncated) without an encoding octet.
    pub fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { encoding: CertEncoding(r.u8("CERT encoding")?), data: r.rest().to_vec() })
    }

    /// Writes the body.
    ///
    /// # Errors
    /// None of its own.
    pub fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        w.u8(self.encoding.0);
        w.bytes(&self.data);
        Ok(())
    }
}

impl CertificateRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Truncated`](crate::DecodeErrorKind::Truncated) without a type octet.
    pub fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { encoding: CertEncoding(r.u8("CR type")?), authority: r.rest().to_vec() })
    }

    /// Writes the body.
    ///
    /// # Errors
    /// None of its own.
    pub fn emit(&self, w: &mut Writer<'_>) -> Result<(), EncodeError> {
        w.u8(self.encoding.0);
        w.bytes(&self.authority);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn round_trips() {
        let cert = Certificate { encoding: CertEncoding::X509_SIGNATURE, data: vec![0x30, 0] };
        let mut out = vec![];
        cert.emit(&mut Writer::new(&mut out)).unwrap();
        assert_eq!(out, [4, 0x30, 0]);
        assert_eq!(Certificate::parse(&mut Reader::new(&out)), Ok(cert));
        let wish = CertificateRequest { encoding: CertEncoding::X509_SIGNATURE, authority: vec![] };
        assert_eq!(CertificateRequest::parse(&mut Reader::new(&[4])), Ok(wish));
        assert!(CertificateRequest::parse(&mut Reader::new(&[])).is_err());
    }
}
