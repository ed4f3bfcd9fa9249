//! The tunnels that are defined, and which of them are active.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Instant;

use ipsec_crypto::{CryptoProvider, Integrity, ProtectionSuite};
use ipsec_proto::Spi;

use super::activate::{self, Activation};
use super::error::{Field, ManualError, ManualFault};
use super::rules::{self, TunnelNumber};
use super::tunnel::{HeaderFormat, ManualMode, ManualTunnel};
use crate::sad::{PairId, SpiAllocator};

/// Whether a tunnel carries packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ManualState {
    /// Only defined.
    Defined,
    /// In use.
    Active,
}

/// A tunnel for reports: all but its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualReport {
    /// Its number.
    pub number: TunnelNumber,
    /// Its name.
    pub name: String,
    /// Whether it carries packets.
    pub state: ManualState,
    /// Our address.
    pub local: IpAddr,
    /// The peer's.
    pub remote: IpAddr,
    /// What of a packet is protected.
    pub mode: ManualMode,
    /// The form of the headers.
    pub format: HeaderFormat,
    /// ESP's algorithms, outbound.
    pub esp: Option<ProtectionSuite>,
    /// AH's algorithm, outbound.
    pub ah: Option<Integrity>,
    /// SPIs of what we send, ESP's first.
    pub outbound_spis: Vec<Spi>,
    /// SPIs of what we receive, ESP's first.
    pub inbound_spis: Vec<Spi>,
}

struct Entry {
    number: TunnelNumber,
    state: ManualState,
    tunnel: ManualTunnel,
}

/// The manual tunnels of one gateway.
#[derive(Default)]
pub struct ManualTunnels {
    by_name: BTreeMap<String, Entry>,
}

impl ManualTunnels {
    /// Adds a tunnel, not active yet. `locals` are the addresses of this machine.
    ///
    /// # Errors
    /// What [`ManualTunnel::check`] finds, and [`ManualFault::NameTaken`].
    pub fn define(&mut self, tunnel: ManualTunnel, locals: &[IpAddr]) -> Result<TunnelNumber, ManualError> {
        tunnel.check(locals)?;
        if self.by_name.contains_key(&tunnel.name) {
            return Err(ManualError::new(Field::Name, tunnel.name, ManualFault::NameTaken));
        }
        let number = self.free_number();
        self.by_name.insert(tunnel.name.clone(), Entry { number, state: ManualState::Defined, tunnel });
        Ok(number)
    }

    /// Puts another definition in the place of the tunnel `name`, which keeps its number.
    ///
    /// # Errors
    /// As [`ManualTunnels::define`], [`ManualFault::Unknown`], and [`ManualFault::Active`] of one in use.
    pub fn change(&mut self, name: &str, tunnel: ManualTunnel, locals: &[IpAddr]) -> Result<(), ManualError> {
        let number = self.inactive(name)?;
        tunnel.check(locals)?;
        if tunnel.name != name && self.by_name.contains_key(&tunnel.name) {
            return Err(ManualError::new(Field::Name, tunnel.name, ManualFault::NameTaken));
        }
        self.by_name.remove(name);
        self.by_name.insert(tunnel.name.clone(), Entry { number, state: ManualState::Defined, tunnel });
        Ok(())
    }

    /// Removes a tunnel; its keys are wiped.
    ///
    /// # Errors
    /// [`ManualFault::Unknown`] and [`ManualFault::Active`].
    pub fn remove(&mut self, name: &str) -> Result<(), ManualError> {
        self.inactive(name)?;
        self.by_name.remove(name);
        Ok(())
    }

    /// Makes the SAs and policies of a tunnel.
    ///
    /// # Errors
    /// What [`ManualTunnel::check`] finds now, [`ManualFault::Unknown`], [`ManualFault::Active`],
    /// [`ManualFault::SpiInUse`], [`ManualFault::PeerSpiInUse`] and [`ManualFault::Install`]. Nothing is changed then.
    pub fn activate(
        &mut self,
        name: &str,
        locals: &[IpAddr],
        spis: &SpiAllocator,
        provider: &CryptoProvider,
        now: Instant,
    ) -> Result<Activation, ManualError> {
        let number = self.inactive(name)?;
        let entry = self.by_name.get(name).ok_or_else(|| unknown(name))?;
        let tunnel = &entry.tunnel;
        // Addresses may have gone since.
        tunnel.check(locals)?;
        let others = self
            .by_name
            .values()
            .filter(|other| other.state == ManualState::Active && other.tunnel.remote == tunnel.remote);
        for other in others {
            if let Some(spi) =
                tunnel.outbound.spis().find(|spi| other.tunnel.outbound.spis().any(|used| used == *spi))
            {
                let fault = ManualFault::PeerSpiInUse { tunnel: other.tunnel.name.clone() };
                return Err(ManualError::spi(Field::OutboundSpi, spi, fault));
            }
        }
        let activation = activate::activate(tunnel, number, spis, provider, now)?;
        if let Some(entry) = self.by_name.get_mut(name) {
            entry.state = ManualState::Active;
        }
        Ok(activation)
    }

    /// Ends the use of a tunnel. Gives back the pairs that are to be removed from the data plane, with the tunnel's
    /// policies; the SPIs are free when the inbound SAs are dropped there.
    ///
    /// # Errors
    /// [`ManualFault::Unknown`] and [`ManualFault::NotActive`].
    pub fn deactivate(&mut self, name: &str) -> Result<Vec<PairId>, ManualError> {
        let entry = self.by_name.get_mut(name).ok_or_else(|| unknown(name))?;
        if entry.state != ManualState::Active {
            return Err(ManualError::new(Field::Name, name, ManualFault::NotActive));
        }
        entry.state = ManualState::Defined;
        Ok(rules::layers(&entry.tunnel).into_iter().map(|(_, layer)| entry.number.pair(layer)).collect())
    }

    /// The tunnel with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ManualTunnel> {
        self.by_name.get(name).map(|entry| &entry.tunnel)
    }

    /// All tunnels, by number.
    #[must_use]
    pub fn list(&self) -> Vec<ManualReport> {
        let mut reports: Vec<ManualReport> = self.by_name.values().map(report).collect();
        reports.sort_by_key(|report| report.number);
        reports
    }

    fn inactive(&self, name: &str) -> Result<TunnelNumber, ManualError> {
        match self.by_name.get(name) {
            None => Err(unknown(name)),
            Some(Entry { state: ManualState::Active, .. }) => {
                Err(ManualError::new(Field::Name, name, ManualFault::Active))
            }
            Some(entry) => Ok(entry.number),
        }
    }

    /// The lowest number that no tunnel has. There are fewer tunnels than numbers: a definition takes more memory.
    fn free_number(&self) -> TunnelNumber {
        let mut taken: Vec<u32> = self.by_name.values().map(|entry| entry.number.get()).collect();
        taken.sort_unstable();
        let free =
            (1..=TunnelNumber::MAX).zip(taken.into_iter().chain([0])).find(|(free, taken)| free != taken);
        TunnelNumber(free.map_or(TunnelNumber::MAX, |(free, _)| free))
    }
}

impl core::fmt::Debug for ManualTunnels {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.by_name.values().map(report)).finish()
    }
}

fn unknown(name: &str) -> ManualError {
    ManualError::new(Field::Name, name, ManualFault::Unknown)
}

fn report(entry: &Entry) -> ManualReport {
    let Entry { number, state, tunnel } = entry;
    ManualReport {
        number: *number,
        name: tunnel.name.clone(),
        state: *state,
        local: tunnel.local,
        remote: tunnel.remote,
        mode: tunnel.mode,
        format: tunnel.format,
        esp: tunnel.outbound.esp.as_ref().map(|esp| esp.suite),
        ah: tunnel.outbound.ah.as_ref().map(|ah| ah.integrity),
        outbound_spis: tunnel.outbound.spis().collect(),
        inbound_spis: tunnel.inbound.spis().collect(),
    }
}
