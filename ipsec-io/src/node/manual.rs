//! Manual tunnels of a node: those of the configuration are active, no others are.

use std::collections::BTreeMap;

use ipsec_crypto::CryptoProvider;
use ipsec_ike::Now;
use ipsec_sad::manual::{ManualError, ManualTunnel, ManualTunnels};
use ipsec_sad::{Policy, SpiAllocator, Update, Worker};

use super::config::NodeConfig;

/// The tunnels that are active, with their policies.
#[derive(Default)]
pub(super) struct Manual {
    tunnels: ManualTunnels,
    policies: BTreeMap<String, Vec<Policy>>,
}

impl Manual {
    /// Goes from what is active to what `config` says; a tunnel that is the same in both is not touched. SAs are installed
    /// at once, policies are the caller's to place.
    ///
    /// # Errors
    /// What is wrong with a tunnel of the configuration: it is not active then, nor are those behind it.
    pub(super) fn take_up(
        &mut self,
        now: Now,
        config: &NodeConfig,
        spis: &SpiAllocator,
        provider: &CryptoProvider,
        worker: &mut Worker,
    ) -> Result<(), ManualError> {
        // All that can be known beforehand, before anything is changed.
        for tunnel in &config.manual {
            tunnel.check(&config.locals)?;
        }
        let stays = |name: &str, active: &ManualTunnels| {
            let wanted = config.manual.iter().find(|tunnel| tunnel.name == name);
            wanted.zip(active.get(name)).is_some_and(|(wanted, active)| wanted.is_same(active))
        };
        for name in self.policies.keys().cloned().collect::<Vec<_>>() {
            if stays(&name, &self.tunnels) {
                continue;
            }
            // Their inbound SAs hold the SPIs until then.
            for pair in self.tunnels.deactivate(&name)? {
                worker.apply(now.mono, Update::Remove(pair));
            }
            self.tunnels.remove(&name)?;
            self.policies.remove(&name);
        }
        for tunnel in &config.manual {
            if self.policies.contains_key(&tunnel.name) {
                continue;
            }
            self.tunnels.define(copy(tunnel), &config.locals)?;
            let activated = self.tunnels.activate(&tunnel.name, &config.locals, spis, provider, now.mono);
            let mut activation = match activated {
                Ok(activation) => activation,
                Err(error) => {
                    self.tunnels.remove(&tunnel.name)?;
                    return Err(error);
                }
            };
            self.policies.insert(tunnel.name.clone(), std::mem::take(&mut activation.policies));
            for update in activation.into_updates() {
                worker.apply(now.mono, update);
            }
        }
        Ok(())
    }

    /// The policies of the active tunnels.
    pub(super) fn policies(&self) -> impl Iterator<Item = Policy> {
        self.policies.values().flatten().cloned()
    }
}

/// The same tunnel again: the peer's peer.
fn copy(tunnel: &ManualTunnel) -> ManualTunnel {
    tunnel.mirror("").mirror(tunnel.name.clone())
}
