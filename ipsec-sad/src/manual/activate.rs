//! From a definition to the SAs of the data plane.

use std::sync::Arc;
use std::time::Instant;

use ipsec_crypto::{CryptoProvider, Secret};
use ipsec_proto::Path;
use ipsec_proto::registry::IpProtocol;

use super::error::{Field, ManualError, ManualFault};
use super::rules::{self, Layer, TunnelNumber};
use super::tunnel::{HeaderFormat, ManualMode, ManualSas, ManualTunnel};
use crate::sad::{
    InboundSa, Keying, Mode, OutboundSa, OuterHeader, PairId, Protocol, ProtocolKind, SaKeys, SaParams,
    SpiAllocator, SpiClaimError, Unauthenticated,
};
use crate::selector::Selector;
use crate::spd::Policy;
use crate::worker::Update;

/// What an activated tunnel adds to the data plane.
#[derive(Debug)]
pub struct Activation {
    /// Inbound SAs, each for the worker that owns it.
    pub inbound: Vec<Box<InboundSa>>,
    /// Outbound SAs, for every worker.
    pub outbound: Vec<Arc<OutboundSa>>,
    /// The pairs, to be activated once both halves are installed, and removed when the tunnel is deactivated.
    pub pairs: Vec<PairId>,
    /// Its policies, to stand together and in this order. Empty if they are suppressed.
    pub policies: Vec<Policy>,
}

impl Activation {
    /// The updates for the only worker there is. The policies are the caller's to place.
    #[must_use]
    pub fn into_updates(self) -> Vec<Update> {
        let Self { inbound, outbound, pairs, .. } = self;
        let inbound = inbound.into_iter().map(Update::InstallInbound);
        let outbound = outbound.into_iter().map(Update::InstallOutbound);
        inbound.chain(outbound).chain(pairs.into_iter().map(Update::Activate)).collect()
    }
}

/// Makes the SAs of a tunnel that was checked. Whatever was claimed is given back if something fails.
pub(super) fn activate(
    tunnel: &ManualTunnel,
    number: TunnelNumber,
    spis: &SpiAllocator,
    provider: &CryptoProvider,
    now: Instant,
) -> Result<Activation, ManualError> {
    if tunnel.format == HeaderFormat::Old {
        let fix = "export the tunnel to setkey, whose kernels have it, or set the header format to new";
        let fault = ManualFault::NotExpressible { target: "the data plane", fix };
        return Err(ManualError::new(Field::Format, "old", fault));
    }
    let policies = rules::policies(tunnel, number);
    let mut activation =
        Activation { inbound: Vec::new(), outbound: Vec::new(), pairs: Vec::new(), policies };
    for (kind, layer) in rules::layers(tunnel) {
        let refused = |fault| {
            let field = match kind {
                ProtocolKind::Esp => Field::Esp,
                ProtocolKind::Ah => Field::Ah,
            };
            ManualError::new(field, tunnel.name.clone(), ManualFault::Install(fault))
        };
        let inbound = params(tunnel, number, &tunnel.inbound, kind, layer)?;
        let reserved = spis.claim(inbound.spi, &tunnel.name).map_err(|error| match error {
            SpiClaimError::InUse { spi, holder } => {
                ManualError::spi(Field::InboundSpi, spi, ManualFault::SpiInUse { holder })
            }
            SpiClaimError::Reserved(spi) => {
                ManualError::spi(Field::InboundSpi, spi, ManualFault::SpiReserved)
            }
        })?;
        let inbound = InboundSa::prepare(inbound, reserved, provider, now).map_err(refused)?;
        let outbound = params(tunnel, number, &tunnel.outbound, kind, layer)?;
        let outbound = OutboundSa::prepare(outbound, provider, now).map_err(refused)?;
        activation.inbound.push(Box::new(inbound));
        activation.outbound.push(Arc::new(outbound));
        activation.pairs.push(number.pair(layer));
    }
    Ok(activation)
}

/// One SA of the tunnel.
fn params(
    tunnel: &ManualTunnel,
    number: TunnelNumber,
    half: &ManualSas,
    kind: ProtocolKind,
    layer: Layer,
) -> Result<SaParams, ManualError> {
    let copy = |secret: &Secret| Secret::from_slice(secret.as_slice());
    let missing =
        || ManualError::new(Field::Esp, kind.name(), ManualFault::Missing("the SA of one direction"));
    let (spi, protocol) = match kind {
        ProtocolKind::Esp => {
            let esp = half.esp.as_ref().ok_or_else(missing)?;
            let keys = SaKeys { encryption: copy(&esp.encryption), integrity: copy(&esp.integrity) };
            (esp.spi, Protocol::Esp { suite: esp.suite, keys })
        }
        ProtocolKind::Ah => {
            let ah = half.ah.as_ref().ok_or_else(missing)?;
            (ah.spi, Protocol::Ah { integrity: ah.integrity, key: copy(&ah.key) })
        }
    };
    let port = 0;
    let path = Path::new((tunnel.local, port).into(), (tunnel.remote, port).into());
    let ends = Selector::between(tunnel.local, tunnel.remote);
    let mut params = match layer {
        Layer::Inner => {
            let template = number.template();
            SaParams::new(number.pair(layer), template, spi, protocol, path, tunnel.traffic.selector())
        }
        Layer::Outer => {
            // It carries what the inner one made, between the tunnel's ends.
            let carried = match kind {
                ProtocolKind::Esp => IpProtocol::AH,
                ProtocolKind::Ah => IpProtocol::ESP,
            };
            let selector = Selector { protocol: Some(carried), ..ends };
            SaParams::new(number.pair(layer), number.layer_template(layer), spi, protocol, path, selector)
        }
    };
    params.mode = match (layer, tunnel.mode) {
        (Layer::Inner, ManualMode::Tunnel) => Mode::TUNNEL,
        (Layer::Inner, ManualMode::Transport) | (Layer::Outer, _) => Mode::TRANSPORT,
    };
    if tunnel.is_nested() {
        // Inside, AH protects the header that the outer SA gives back: no other may be written for it on the way.
        params.outer_header = OuterHeader::Own;
        params.within = (layer == Layer::Inner).then(|| number.pair(Layer::Outer));
    }
    params.anti_replay = tunnel.anti_replay;
    params.keying = Keying::Manual;
    // AH beside it vouches for an ESP without integrity.
    params.unauthenticated = if tunnel.is_nested() { Unauthenticated::Allow } else { tunnel.unauthenticated };
    Ok(params)
}
