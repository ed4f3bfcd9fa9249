//! A worker's SAs: inbound ones by SPI, outbound ones by template, both by pair.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use ipsec_proto::{Path, Spi};

use super::choice::Choice;
use super::{InboundSa, MssClamp, OutboundSa, PairId, SequenceRun, TfcPadding, spi};
use crate::drop::DropReason;
use crate::flow::{Direction, Flow};
use crate::process::PathMtu;
use crate::spd::TemplateId;
use crate::stats::Traffic;

/// How many slots at most are added for one SA: reserved SPIs need not be installed in their order.
const GROWTH: usize = 4096;

/// The inbound SAs of one worker.
#[derive(Default)]
pub(crate) struct InboundTable {
    /// By the slot in the SPI. Two SAs share a slot only if one of their SPIs was chosen by hand.
    slots: Vec<Option<Box<InboundSa>>>,
    /// SAs whose slot is taken by another.
    displaced: BTreeMap<Spi, Box<InboundSa>>,
    /// One pair may have more than one for a while: the old one of a pair that is replaced.
    by_pair: BTreeMap<PairId, Spi>,
}

impl InboundTable {
    /// Adds an SA; gives back the one the pair had before.
    pub(crate) fn insert(&mut self, sa: Box<InboundSa>) -> Option<Box<InboundSa>> {
        let replaced = self.remove(sa.pair());
        self.by_pair.insert(sa.pair(), sa.spi());
        let slot = spi::slot(sa.spi());
        // A slot far above the others comes from an SPI chosen by hand: no reason to grow.
        if slot < self.slots.len() + GROWTH {
            let needed = self.slots.len().max(slot + 1);
            self.slots.resize_with(needed, || None);
            if let Some(place @ None) = self.slots.get_mut(slot) {
                *place = Some(sa);
                return replaced;
            }
        }
        self.displaced.insert(sa.spi(), sa);
        replaced
    }

    pub(crate) fn remove(&mut self, pair: PairId) -> Option<Box<InboundSa>> {
        let spi = self.by_pair.remove(&pair)?;
        match self.slots.get_mut(spi::slot(spi)) {
            Some(place) if place.as_ref().is_some_and(|sa| sa.spi() == spi) => place.take(),
            _ => self.displaced.remove(&spi),
        }
    }

    pub(crate) fn get(&self, spi: Spi) -> Option<&InboundSa> {
        match self.slots.get(spi::slot(spi)) {
            Some(Some(sa)) if sa.spi() == spi => Some(sa),
            _ => self.displaced.get(&spi).map(|sa| &**sa),
        }
    }

    pub(crate) fn get_mut(&mut self, spi: Spi) -> Option<&mut InboundSa> {
        match self.slots.get_mut(spi::slot(spi)) {
            Some(Some(sa)) if sa.spi() == spi => Some(sa),
            _ => self.displaced.get_mut(&spi).map(|sa| &mut **sa),
        }
    }

    pub(crate) fn spi_of(&self, pair: PairId) -> Option<Spi> {
        self.by_pair.get(&pair).copied()
    }

    /// In the order of the pairs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &InboundSa> {
        self.by_pair.values().filter_map(|&spi| self.get(spi))
    }

    pub(crate) fn len(&self) -> usize {
        self.by_pair.len()
    }
}

/// Whether an outbound SA is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The peer may not be able to receive yet.
    Installed,
    /// Packets go out on it.
    Active,
}

/// An outbound SA as one worker has it.
pub(crate) struct Outbound {
    pub(crate) sa: Arc<OutboundSa>,
    pub(crate) path: Path,
    pub(crate) standing: Standing,
    pub(crate) last_used: Option<Instant>,
    /// Packets of this worker that the SA could not carry, and why the last of them.
    pub(crate) dropped: u64,
    pub(crate) last_drop: Option<DropReason>,
    /// What of the present burst is to be sealed.
    pub(crate) wanted: Traffic,
    /// The sequence numbers of its packets.
    pub(crate) run: SequenceRun,
    /// What the SA had carried before it, and of the burst up to now.
    pub(crate) carried: Traffic,
    /// What of the burst was counted as carried and was not sealed.
    pub(crate) unsealed: Traffic,
    /// What the path takes, if something is known about it.
    pub(crate) mtu: Option<PathMtu>,
    /// Whether the SA asks for nothing that depends on that, nor for another SA.
    pub(crate) plain: bool,
}

/// The outbound SAs of one worker.
#[derive(Default)]
pub(crate) struct OutboundTable {
    slots: Vec<Option<Outbound>>,
    free: Vec<usize>,
    by_pair: BTreeMap<PairId, usize>,
    /// Peers choose their SPIs, and two may choose the same.
    by_spi: BTreeSet<(Spi, usize)>,
    by_template: BTreeMap<TemplateId, Choice>,
    /// Of the next SA that is added.
    serial: u64,
}

impl OutboundTable {
    /// Adds an SA that is not used yet; the one the pair had before goes.
    pub(crate) fn insert(&mut self, sa: Arc<OutboundSa>) -> Option<Arc<OutboundSa>> {
        let (pair, spi, template, path) = (sa.pair(), sa.spi(), sa.sa.template, sa.path);
        let selector = sa.sa.selector;
        let replaced = self.remove(pair);
        let clamps = sa.sa.mode.tunnel_options().is_some_and(|options| options.mss != MssClamp::Off);
        let plain = sa.sa.within.is_none() && sa.sa.tfc == TfcPadding::None && !clamps;
        let entry = Outbound {
            sa,
            path,
            standing: Standing::Installed,
            last_used: None,
            dropped: 0,
            last_drop: None,
            wanted: Traffic::default(),
            run: SequenceRun::default(),
            carried: Traffic::default(),
            unsealed: Traffic::default(),
            mtu: None,
            plain,
        };
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.slots.push(None);
                self.slots.len() - 1
            }
        };
        if let Some(place) = self.slots.get_mut(index) {
            *place = Some(entry);
        }
        self.by_pair.insert(pair, index);
        self.by_spi.insert((spi, index));
        self.by_template.entry(template).or_default().insert(&selector, self.serial, index);
        self.serial += 1;
        replaced
    }

    pub(crate) fn remove(&mut self, pair: PairId) -> Option<Arc<OutboundSa>> {
        let index = self.by_pair.remove(&pair)?;
        let entry = self.slots.get_mut(index)?.take()?;
        self.free.push(index);
        self.by_spi.remove(&(entry.sa.spi(), index));
        let template = entry.sa.sa.template;
        if let Some(choice) = self.by_template.get_mut(&template) {
            choice.remove(&entry.sa.sa.selector, index);
            if choice.is_empty() {
                self.by_template.remove(&template);
            }
        }
        Some(entry.sa)
    }

    /// The newest SA of the template that is in use, may carry another packet, and whose selectors cover the flow
    /// (RFC 4301 §5.2).
    pub(crate) fn choose(&self, template: TemplateId, flow: &Flow) -> Option<usize> {
        self.by_template.get(&template)?.newest(flow, |index| {
            self.get(index).is_some_and(|entry| {
                entry.is_usable() && entry.sa.sa.selector.matches(flow, Direction::Outbound)
            })
        })
    }

    /// The SAs of a template, the newest first. Allocates; for people.
    pub(crate) fn newest_first(&self, template: TemplateId) -> impl Iterator<Item = &Outbound> {
        let indices = self.by_template.get(&template).map(Choice::newest_first);
        indices.into_iter().flatten().filter_map(|index| self.get(index))
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Outbound> {
        self.slots.get(index)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut Outbound> {
        self.slots.get_mut(index)?.as_mut()
    }

    pub(crate) fn index_of(&self, pair: PairId) -> Option<usize> {
        self.by_pair.get(&pair).copied()
    }

    /// The SA with the number that the peer at an address has chosen.
    pub(crate) fn of_spi(&mut self, spi: Spi, peer: IpAddr) -> Option<&mut Outbound> {
        let same = self.by_spi.range((spi, 0)..=(spi, usize::MAX)).map(|&(_, index)| index);
        let index = same
            .into_iter()
            .find(|&index| self.get(index).is_some_and(|entry| entry.path.remote.ip() == peer))?;
        self.get_mut(index)
    }

    pub(crate) fn of_pair(&mut self, pair: PairId) -> Option<&mut Outbound> {
        let index = *self.by_pair.get(&pair)?;
        self.get_mut(index)
    }

    /// In the order of the pairs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Outbound> {
        self.by_pair.values().filter_map(|&index| self.get(index))
    }

    pub(crate) fn len(&self) -> usize {
        self.by_pair.len()
    }
}

impl Outbound {
    pub(crate) fn is_usable(&self) -> bool {
        self.standing == Standing::Active && self.sa.is_usable()
    }

    /// The sequence number of the next packet of the burst, which has `octets`.
    ///
    /// # Errors
    /// [`DropReason::SaExpired`] if it would pass a hard limit (RFC 4301 §4.4.2.1), [`DropReason::SequenceExhausted`]
    /// if there is no number left.
    pub(crate) fn admit(&mut self, octets: usize) -> Result<u64, DropReason> {
        let granted = if self.sa.sa.alarms.is_expired() || !self.sa.sa.admits(self.carried, octets as u64) {
            Err(DropReason::SaExpired)
        } else {
            let none = if self.sa.is_exhausted() {
                DropReason::SequenceExhausted
            } else {
                DropReason::CheckpointDue
            };
            self.run.take().ok_or(none)
        };
        match granted {
            Ok(_) => self.carried.add(octets),
            Err(_) => self.unsealed.add(octets),
        }
        granted
    }
}
