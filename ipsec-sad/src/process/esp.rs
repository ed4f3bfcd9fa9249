//! ESP as jobs for the cipher: header, IV, text, ICV cut out of one packet's part of the arena (RFC 4303 §2).

use core::ops::Range;

use ipsec_crypto::{InOut, IvGenerator, Job, Outcome};
use ipsec_proto::esp;
use ipsec_proto::registry::IpProtocol;

use crate::drop::DropReason;
use crate::sad::{Sa, TfcPadding};

/// Octets of TFC padding for a packet of `length`, so that it stays within `longest`; `room` is what its buffer has behind
/// it, for all of the trailer.
pub(super) fn tfc_padding(
    sa: &Sa,
    length: usize,
    longest: usize,
    room: usize,
    random: &mut IvGenerator,
) -> usize {
    let wanted = match sa.tfc {
        TfcPadding::None => return 0,
        TfcPadding::To(octets) => usize::from(octets).saturating_sub(length),
        TfcPadding::Random(most) => {
            let mut octets = [0; 4];
            random.fill(&mut octets);
            let drawn = u32::from_ne_bytes(octets) % (u32::from(most) + 1);
            usize::try_from(drawn).unwrap_or(0)
        }
    };
    let room = room.saturating_sub(sa.layout.block + esp::TRAILER_LEN + sa.layout.icv);
    wanted.min(longest.saturating_sub(length)).min(room)
}

/// Octets of an ESP packet with a payload of `length`, from its ESP header to its ICV.
pub(super) const fn sealed_len(sa: &Sa, length: usize) -> usize {
    let padding = esp::padding_len(length, sa.layout.block);
    esp::HEADER_LEN + sa.layout.iv + length + padding + esp::TRAILER_LEN + sa.layout.icv
}

/// The longest payload whose ESP packet has at most `length` octets.
pub(super) const fn payload_len(sa: &Sa, length: usize) -> usize {
    let text = length.saturating_sub(esp::HEADER_LEN + sa.layout.iv + sa.layout.icv);
    (text - text % sa.layout.block).saturating_sub(esp::TRAILER_LEN)
}

/// Puts header, IV and trailer around the payload at `range`, which may have TFC padding at its end, and gives back the job
/// that seals it, and where it lies then.
///
/// # Errors
/// [`DropReason::NoRoom`], with nothing of the packet changed.
pub(super) fn seal_job<'a>(
    part: &'a mut [u8],
    range: &Range<usize>,
    sa: &'a Sa,
    sequence: u64,
    next_header: IpProtocol,
    ivs: &mut IvGenerator,
) -> Result<(Job<'a>, Range<usize>), DropReason> {
    let (iv_len, icv_len) = (sa.layout.iv, sa.layout.icv);
    let padding = esp::padding_len(range.len(), sa.layout.block);
    let text_len = range.len() + padding + esp::TRAILER_LEN;
    let start = range.start.checked_sub(esp::HEADER_LEN + iv_len).ok_or(DropReason::NoRoom)?;
    let packet = start..start + esp::HEADER_LEN + iv_len + text_len + icv_len;
    let octets = part.get_mut(packet.clone()).ok_or(DropReason::NoRoom)?;
    let (header, iv, text, icv) = cut(octets, iv_len, icv_len).ok_or(DropReason::NoRoom)?;

    let trailer = text.get_mut(range.len()..).ok_or(DropReason::NoRoom)?;
    esp::emit_trailer(trailer, next_header).map_err(|_| DropReason::NoRoom)?;
    // The low 32 bits are sent.
    let low = esp::Header { spi: sa.spi, sequence: (sequence & u64::from(u32::MAX)) as u32 };
    header.copy_from_slice(&low.to_octets());
    if sa.layout.random_iv {
        // CBC: unpredictable (RFC 3602 §3).
        ivs.fill(iv);
    } else if let Some(counter) = iv.last_chunk_mut() {
        // A counter mode must never see an IV twice: the sequence number does not repeat (RFC 4106 §3.1).
        *counter = sequence.to_be_bytes();
    }
    Ok((job(sa, sequence, header, iv, text, icv), packet))
}

/// The job that verifies and opens the ESP packet at `range`.
///
/// # Errors
/// [`DropReason::MalformedEsp`] for a length that the SA's algorithms don't produce.
pub(super) fn open_job<'a>(
    part: &'a mut [u8],
    range: &Range<usize>,
    sa: &'a Sa,
    sequence: u64,
) -> Result<Job<'a>, DropReason> {
    let octets = part.get_mut(range.clone()).ok_or(DropReason::MalformedEsp)?;
    let (header, iv, text, icv) = cut(octets, sa.layout.iv, sa.layout.icv).ok_or(DropReason::MalformedEsp)?;
    if text.is_empty() || !text.len().is_multiple_of(sa.layout.block) {
        return Err(DropReason::MalformedEsp);
    }
    Ok(job(sa, sequence, header, iv, text, icv))
}

/// Where the text of the ESP packet at `range` lies.
pub(super) fn text_range(range: &Range<usize>, sa: &Sa) -> Range<usize> {
    range.start + esp::HEADER_LEN + sa.layout.iv..range.end.saturating_sub(sa.layout.icv)
}

type Parts<'a> = (&'a mut [u8], &'a mut [u8], &'a mut [u8], &'a mut [u8]);

/// Header, IV, text and ICV.
fn cut(octets: &mut [u8], iv_len: usize, icv_len: usize) -> Option<Parts<'_>> {
    let (header, rest) = octets.split_at_mut_checked(esp::HEADER_LEN)?;
    let (iv, rest) = rest.split_at_mut_checked(iv_len)?;
    let text_len = rest.len().checked_sub(icv_len)?;
    let (text, icv) = rest.split_at_mut_checked(text_len)?;
    Some((header, iv, text, icv))
}

fn job<'a>(
    sa: &'a Sa,
    sequence: u64,
    header: &'a [u8],
    iv: &'a [u8],
    text: &'a mut [u8],
    icv: &'a mut [u8],
) -> Job<'a> {
    Job {
        key: &sa.protection,
        aad: header,
        esn_high: sa.esn.high(sequence),
        iv,
        text: InOut::InPlace(text),
        icv,
        outcome: Outcome::Pending,
    }
}
