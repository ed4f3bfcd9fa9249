//! AH as jobs for the integrity algorithm (RFC 4302 §3.3.3): headers with their mutable fields zeroed, ICV, payload.

use ipsec_crypto::{InOut, Job, Outcome};
use ipsec_proto::ah;
use ipsec_proto::ip::Version;
use ipsec_proto::registry::IpProtocol;

use crate::drop::DropReason;
use crate::sad::Sa;

/// The longest headers that AH is computed over here, the AH included: an IPv6 header, a full AH, and more than 400 octets
/// of options and extension headers. Longer ones are dropped with [`DropReason::HeaderTooLong`].
pub(crate) const MAX_HEADERS: usize = 512;

/// Where one packet's headers are brought into the form that the ICV covers.
pub(crate) type Headers = [u8; MAX_HEADERS];

/// Octets of the AH of an SA's packets.
pub(super) const fn header_len(sa: &Sa, version: Version) -> usize {
    ah::header_len(sa.layout.icv, version)
}

/// Writes the AH at `at` and gives back the job that computes its ICV. `packet` begins with the IP header, which fits and
/// names AH already.
///
/// # Errors
/// [`DropReason::HeaderTooLong`], [`DropReason::MalformedPacket`] for headers that no AH can follow,
/// [`DropReason::NoRoom`].
pub(super) fn seal_job<'a>(
    packet: &'a mut [u8],
    at: usize,
    version: Version,
    sa: &'a Sa,
    sequence: u64,
    next_header: IpProtocol,
    headers: &'a mut Headers,
) -> Result<Job<'a>, DropReason> {
    let end = at + header_len(sa, version);
    let header = ah::Header { next_header, spi: sa.spi, sequence: (sequence & u64::from(u32::MAX)) as u32 };
    let place = packet.get_mut(at..end).ok_or(DropReason::NoRoom)?;
    header.emit(place).map_err(|_| DropReason::NoRoom)?;
    job(packet, at, end, sa, sequence, headers, DropReason::MalformedPacket)
}

/// The job that verifies the packet that begins at the IP header and whose AH is at `at`.
///
/// # Errors
/// [`DropReason::HeaderTooLong`], [`DropReason::MalformedAh`].
pub(super) fn open_job<'a>(
    packet: &'a mut [u8],
    at: usize,
    version: Version,
    sa: &'a Sa,
    sequence: u64,
    headers: &'a mut Headers,
) -> Result<Job<'a>, DropReason> {
    let end = at + header_len(sa, version);
    let view = packet.get(at..).and_then(|octets| ah::View::parse(octets).ok());
    if view.is_none_or(|view| ah::FIXED_LEN + view.icv.len() != end - at) {
        return Err(DropReason::MalformedAh);
    }
    job(packet, at, end, sa, sequence, headers, DropReason::MalformedAh)
}

fn job<'a>(
    packet: &'a mut [u8],
    at: usize,
    end: usize,
    sa: &'a Sa,
    sequence: u64,
    headers: &'a mut Headers,
    malformed: DropReason,
) -> Result<Job<'a>, DropReason> {
    let (front, payload) = packet.split_at_mut_checked(end).ok_or(malformed)?;
    let covered = headers.get_mut(..end).ok_or(DropReason::HeaderTooLong)?;
    covered.copy_from_slice(front);
    let (before, ah) = covered.split_at_mut_checked(at).ok_or(malformed)?;
    ah::zero_mutable(before).map_err(|_| malformed)?;
    // The ICV counts as zero; what aligns the header behind it is covered as it is (RFC 4302 §3.3.3.2.1).
    let icv = ah::FIXED_LEN..ah::FIXED_LEN + sa.layout.icv;
    ah.get_mut(icv.clone()).ok_or(malformed)?.fill(0);
    let icv = front.get_mut(at + icv.start..at + icv.end).ok_or(malformed)?;
    Ok(Job {
        key: &sa.protection,
        aad: covered,
        esn_high: sa.esn.high(sequence),
        iv: &[],
        text: InOut::InPlace(payload),
        icv,
        outcome: Outcome::Pending,
    })
}
