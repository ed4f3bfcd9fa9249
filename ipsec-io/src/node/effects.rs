//! IKE's orders, carried out in the data plane.

use std::sync::Arc;

use ipsec_ike::{Effect, KeyLogging, Now};
use ipsec_proto::Spi;
use ipsec_sad::{Direction, InboundSa, InstallError, OutboundSa, PairId, SaParams, Update};

use super::{Node, NodeOutput, Queued};
use crate::events::{NodeEvent, What};
use crate::pcap::keys::KeyLine;

impl Node {
    pub(super) fn carry_out(&mut self, now: Now, effect: Effect) {
        match effect {
            Effect::InstallInbound { params, reserved } => {
                self.export(&params, Direction::Inbound);
                let (pair, spi) = (params.pair, params.spi);
                match InboundSa::prepare(*params, reserved, &self.provider, now.mono) {
                    Ok(sa) => {
                        self.worker.apply(now.mono, Update::InstallInbound(Box::new(sa)));
                    }
                    Err(error) => self.refuse(now, pair, spi, &error),
                }
            }
            Effect::InstallOutbound { params } => {
                self.export(&params, Direction::Outbound);
                let (pair, spi) = (params.pair, params.spi);
                match OutboundSa::prepare(*params, &self.provider, now.mono) {
                    Ok(sa) => {
                        self.worker.apply(now.mono, Update::InstallOutbound(Arc::new(sa)));
                    }
                    Err(error) => self.refuse(now, pair, spi, &error),
                }
            }
            Effect::UseOutbound { pair } => {
                self.worker.apply(now.mono, Update::Activate(pair));
            }
            Effect::Remove { pair, .. } => {
                self.worker.apply(now.mono, Update::Remove(pair));
            }
            Effect::MovePath { pair, path } => {
                self.worker.apply(now.mono, Update::MovePath(pair, path));
            }
            Effect::KeyLog(log) => {
                if let Some(line) = KeyLine::of_ike(&log) {
                    self.outputs.push_back(Queued::Other(NodeOutput::KeyLog(line)));
                }
            }
            Effect::Ask { id, question } => {
                self.outputs.push_back(Queued::Other(NodeOutput::Ask { id, question }));
            }
            _ => {}
        }
    }

    fn export(&mut self, params: &SaParams, direction: Direction) {
        if self.config.ike.key_log() == KeyLogging::On
            && let Some(line) = KeyLine::of_sa(params, direction)
        {
            self.outputs.push_back(Queued::Other(NodeOutput::KeyLog(line)));
        }
    }

    fn refuse(&mut self, now: Now, pair: PairId, spi: Spi, error: &InstallError) {
        self.record(now, What::Node(NodeEvent::InstallFailed { pair, spi, reason: error.to_string() }));
        self.ike.handle_install_failed(now, pair, error);
    }
}
