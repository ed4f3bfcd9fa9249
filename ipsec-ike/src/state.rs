//! The names of states, as the logs of the gateways on the other side print them.

use core::fmt;

/// The number of a message within its exchange: what an operator counts along with (RFC 2409 §5.4, §5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MessageNumber {
    /// Main Mode 1: the initiator's proposals.
    Mm1,
    /// Main Mode 2: the responder's choice.
    Mm2,
    /// Main Mode 3: the initiator's public value and nonce.
    Mm3,
    /// Main Mode 4: the responder's public value and nonce.
    Mm4,
    /// Main Mode 5: the initiator's identity and proof, the first encrypted message.
    Mm5,
    /// Main Mode 6: the responder's identity and proof.
    Mm6,
    /// Quick Mode 1: the initiator's proposals and selectors.
    Qm1,
    /// Quick Mode 2: the responder's choice.
    Qm2,
    /// Quick Mode 3: the initiator's proof of liveness.
    Qm3,
    /// An Informational: notify or delete (RFC 2409 §5.7).
    Info,
}

impl MessageNumber {
    /// The short name: `MM1` … `MM6`, `QM1` … `QM3`, `INFO`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mm1 => "MM1",
            Self::Mm2 => "MM2",
            Self::Mm3 => "MM3",
            Self::Mm4 => "MM4",
            Self::Mm5 => "MM5",
            Self::Mm6 => "MM6",
            Self::Qm1 => "QM1",
            Self::Qm2 => "QM2",
            Self::Qm3 => "QM3",
            Self::Info => "INFO",
        }
    }

    /// Which phase the message belongs to. An Informational counts as phase 2: it runs under the ISAKMP SA.
    #[must_use]
    pub const fn phase(self) -> Phase {
        match self {
            Self::Mm1 | Self::Mm2 | Self::Mm3 | Self::Mm4 | Self::Mm5 | Self::Mm6 => Phase::One,
            Self::Qm1 | Self::Qm2 | Self::Qm3 | Self::Info => Phase::Two,
        }
    }
}

impl fmt::Display for MessageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The two phases of IKEv1 (RFC 2409 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Phase 1: the ISAKMP SA.
    One,
    /// Phase 2: the IPsec SAs, and the informational exchanges under the ISAKMP SA.
    Two,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::One => "phase 1",
            Self::Two => "phase 2",
        })
    }
}

/// Which end of an exchange we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// We sent its first message.
    Initiator,
    /// The peer sent its first message.
    Responder,
}

impl Role {
    /// The other end's role.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Initiator => "initiator",
            Self::Responder => "responder",
        })
    }
}

/// The state of a phase 1 negotiation: named for the message it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum IkeState {
    /// Initiator; a question to the embedding program (an address) is open and nothing is sent yet.
    MmNoState,
    /// Initiator; MM1 is sent.
    MmWaitMsg2,
    /// Responder; MM2 is sent.
    MmWaitMsg3,
    /// Initiator; MM3 is sent.
    MmWaitMsg4,
    /// Responder; MM4 is sent.
    MmWaitMsg5,
    /// Initiator; MM5 is sent.
    MmWaitMsg6,
    /// Both ends have proven themselves.
    MmActive,
}

impl IkeState {
    /// Every state, in the order a negotiation passes them.
    pub const ALL: [Self; 7] = [
        Self::MmNoState,
        Self::MmWaitMsg2,
        Self::MmWaitMsg3,
        Self::MmWaitMsg4,
        Self::MmWaitMsg5,
        Self::MmWaitMsg6,
        Self::MmActive,
    ];

    /// The name as the ASA prints it, which is ours.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The name as IOS and PIX print it. Several of our states may share one.
    #[must_use]
    pub const fn ios_name(self) -> &'static str {
        self.row().1
    }

    /// What the state means, for a person.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.row().2
    }

    const fn row(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::MmNoState => {
                ("MM_NO_STATE", "MM_NO_STATE", "nothing is sent yet: an address is being looked up")
            }
            Self::MmWaitMsg2 => {
                ("MM_WAIT_MSG2", "MM_NO_STATE", "the proposals are sent; the peer has not answered")
            }
            Self::MmWaitMsg3 => {
                ("MM_WAIT_MSG3", "MM_SA_SETUP", "a proposal is chosen; the peer's public value is due")
            }
            Self::MmWaitMsg4 => {
                ("MM_WAIT_MSG4", "MM_SA_SETUP", "our public value is sent; the peer's is due")
            }
            Self::MmWaitMsg5 => {
                ("MM_WAIT_MSG5", "MM_KEY_EXCH", "keys are derived; the peer's identity and proof are due")
            }
            Self::MmWaitMsg6 => {
                ("MM_WAIT_MSG6", "MM_KEY_EXCH", "our identity and proof are sent; the peer's are due")
            }
            Self::MmActive => ("MM_ACTIVE", "QM_IDLE", "both ends are authenticated; quick modes may run"),
        }
    }
}

impl fmt::Display for IkeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The state of one quick mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum QuickState {
    /// Initiator; QM1 is sent.
    QmWaitMsg2,
    /// Responder; QM2 is sent.
    QmWaitMsg3,
    /// The exchange is over; its last message is kept to answer duplicates.
    QmDone,
}

impl QuickState {
    /// The name as operators know it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::QmWaitMsg2 => "QM_WAIT_MSG2",
            Self::QmWaitMsg3 => "QM_WAIT_MSG3",
            Self::QmDone => "QM_IDLE",
        }
    }
}

impl fmt::Display for QuickState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_own_name_and_a_known_ios_alias() {
        let mut names: Vec<_> = IkeState::ALL.iter().map(|state| state.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), IkeState::ALL.len());
        for state in IkeState::ALL {
            assert!(["MM_NO_STATE", "MM_SA_SETUP", "MM_KEY_EXCH", "QM_IDLE"].contains(&state.ios_name()));
        }
    }
}
