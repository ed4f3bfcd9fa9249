//! The causes of failure, as data: what each side sees, what is behind it, what to do.

use core::fmt;

/// The stable name of a cause or of a class of causes that this side's evidence cannot tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Code {
    /// Nothing at all comes back.
    PeerUnreachable,
    /// No configured connection has this peer.
    UnknownPeer,
    /// The phase 1 proposals have nothing in common.
    Phase1Proposal,
    /// The peer answered MM1 and then fell silent, or refused our public value.
    KeyExchangeUnanswered,
    /// The pre-shared keys differ.
    PresharedKey,
    /// MM5 met silence: another key, or port 4500 does not get through.
    AuthenticationUnanswered,
    /// One end is not who the other expects.
    Identity,
    /// The phase 2 proposals have nothing in common.
    Phase2Proposal,
    /// Perfect forward secrecy is asked for by one end, or with another group.
    Pfs,
    /// A NAT is in the way of AH.
    AhThroughNat,
    /// The selectors are not each other's mirror.
    Selectors,
    /// QM1 met silence.
    QuickModeUnanswered,
    /// QM2 went out and QM3 never came.
    QuickModeUnfinished,
    /// The peer's name has no address.
    NameUnresolved,
    /// We have no address to write from.
    NoSource,
    /// The peer sent something that breaks the protocol.
    ProtocolError,
    /// The peer refused, with a notify that names no cause that we know.
    PeerRefused,
    /// A limit of ours is reached.
    Limit,
    /// Something failed on our own side.
    Local,
    /// The peer took the SA down while we were still at work under it.
    DeletedByPeer,
}

/// One row of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The cause.
    pub code: Code,
    /// Its stable short name.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What the initiator sees.
    pub initiator_sees: &'static str,
    /// What the responder sees.
    pub responder_sees: &'static str,
    /// What may be behind it, likeliest first.
    pub causes: &'static [&'static str],
    /// What to do, as one sentence in the imperative.
    pub fix: &'static str,
}

impl Code {
    /// The catalogue's row for this cause.
    #[must_use]
    pub fn entry(self) -> &'static Entry {
        // Every code has its row: a test walks them.
        CATALOGUE.iter().find(|entry| entry.code == self).unwrap_or(&CATALOGUE[0])
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.entry().name)
    }
}

/// Every cause that is known.
pub static CATALOGUE: [Entry; 20] = [
    Entry {
        code: Code::PeerUnreachable,
        name: "peer-unreachable",
        title: "The peer does not answer",
        initiator_sees: "MM1 is repeated and nothing comes back; the state stays MM_WAIT_MSG2",
        responder_sees: "nothing",
        causes: &[
            "the peer is down or not reachable",
            "UDP port 500 is blocked on the way",
            "IKE is not enabled on the peer, or it has no entry for our address",
        ],
        fix: "ping the peer's gateway address, check that UDP port 500 passes both ways, and that the peer has an entry for our address",
    },
    Entry {
        code: Code::UnknownPeer,
        name: "unknown-peer",
        title: "No connection is configured for this peer",
        initiator_sees: "silence or NO-PROPOSAL-CHOSEN after MM1",
        responder_sees: "MM1 from an address that no connection has",
        causes: &[
            "the remote address in our configuration is another one",
            "a NAT changes the peer's address",
        ],
        fix: "compare the address that the peer comes from with the remote address of the connection",
    },
    Entry {
        code: Code::Phase1Proposal,
        name: "phase1-proposal",
        title: "The phase 1 proposals have nothing in common",
        initiator_sees: "NO-PROPOSAL-CHOSEN in clear after MM1; the state stays MM_WAIT_MSG2",
        responder_sees: "MM1 whose proposals differ from ours",
        causes: &[
            "another encryption algorithm or key length",
            "another Diffie-Hellman group",
            "another hash",
            "another authentication method",
        ],
        fix: "compare encryption, key length, hash, Diffie-Hellman group and authentication method of phase 1 with the peer's",
    },
    Entry {
        code: Code::KeyExchangeUnanswered,
        name: "key-exchange-unanswered",
        title: "The key exchange goes unanswered",
        initiator_sees: "MM2 came, MM3 is repeated; the state stays MM_WAIT_MSG4",
        responder_sees: "MM2 is sent, MM3 never comes; or nothing of note",
        causes: &[
            "the peer refuses the public value: another Diffie-Hellman group",
            "larger datagrams are lost on the way",
            "the peer has no pre-shared key for our address",
        ],
        fix: "check that the peer has a pre-shared key for our address, and that larger UDP datagrams pass",
    },
    Entry {
        code: Code::PresharedKey,
        name: "preshared-key",
        title: "The pre-shared keys differ",
        initiator_sees: "a notify in clear, or one that cannot be decrypted, where MM6 was due; the state stays MM_WAIT_MSG6",
        responder_sees: "MM5 that does not decrypt; the state stays MM_WAIT_MSG5",
        causes: &[
            "the keys differ in a character, a blank or a trailing newline",
            "one end writes the key in hexadecimal, the other as text",
            "the peer uses the key of another connection",
        ],
        fix: "enter the same pre-shared key on both ends, and mind blanks, line ends and hexadecimal notation",
    },
    Entry {
        code: Code::AuthenticationUnanswered,
        name: "authentication-unanswered",
        title: "Our proof goes unanswered",
        initiator_sees: "MM5 is repeated and nothing comes back; the state stays MM_WAIT_MSG6",
        responder_sees: "MM5 that does not decrypt, or no MM5 at all",
        causes: &[
            "the pre-shared keys differ",
            "UDP port 4500 is blocked",
            "the peer does not accept our identity",
        ],
        fix: "compare the pre-shared keys, check that UDP port 4500 passes both ways, and that the peer accepts our identity",
    },
    Entry {
        code: Code::Identity,
        name: "identity",
        title: "An identity is not the expected one",
        initiator_sees: "MM6 with another identity, or INVALID-ID-INFORMATION or AUTHENTICATION-FAILED after MM5",
        responder_sees: "MM5 with an identity that no candidate connection expects",
        causes: &[
            "local and remote identity are not mirrored",
            "one end sends its private address",
            "type or spelling differs",
        ],
        fix: "make each end's remote identity the other end's local identity, in type and value",
    },
    Entry {
        code: Code::Phase2Proposal,
        name: "phase2-proposal",
        title: "The phase 2 proposals have nothing in common",
        initiator_sees: "NO-PROPOSAL-CHOSEN, authenticated, after QM1",
        responder_sees: "QM1 whose proposals differ from ours",
        causes: &[
            "another encryption or integrity algorithm",
            "another PFS group",
            "ESP on one end, AH on the other",
            "tunnel on one end, transport on the other",
        ],
        fix: "compare protocol, encryption, key length, integrity, PFS group and mode of phase 2 with the peer's",
    },
    Entry {
        code: Code::Pfs,
        name: "pfs",
        title: "The ends disagree on perfect forward secrecy",
        initiator_sees: "NO-PROPOSAL-CHOSEN, authenticated, after QM1",
        responder_sees: "QM1 with a key exchange that we do not ask for, with another group, or without one",
        causes: &["PFS is on at one end only", "the PFS groups differ"],
        fix: "set the same PFS group, or none, on both ends",
    },
    Entry {
        code: Code::AhThroughNat,
        name: "ah-through-nat",
        title: "A NAT is in the way of AH",
        initiator_sees: "a NAT is found in phase 1, and the child has nothing but AH to offer",
        responder_sees: "a NAT is found in phase 1, and QM1 or the child has nothing but AH",
        causes: &["AH protects the addresses that the NAT changes, so no packet would pass verification"],
        fix: "configure ESP for the child on both ends, which passes a NAT in UDP",
    },
    Entry {
        code: Code::Selectors,
        name: "selectors",
        title: "The selectors are not each other's mirror",
        initiator_sees: "INVALID-ID-INFORMATION, authenticated, after QM1",
        responder_sees: "QM1 with identities that fit into no child",
        causes: &["a subnet or its mask differs", "local and remote are swapped", "protocol or ports differ"],
        fix: "make local and remote selectors of the two ends each other's mirror",
    },
    Entry {
        code: Code::QuickModeUnanswered,
        name: "quick-mode-unanswered",
        title: "The quick mode goes unanswered",
        initiator_sees: "phase 1 stands, QM1 is repeated and nothing comes back",
        responder_sees: "QM1 that is dropped",
        causes: &[
            "the peer has taken the ISAKMP SA down",
            "the peer drops quick modes that do not fit",
            "a NAT's mapping was lost",
        ],
        fix: "look into the peer's log for the quick mode, and compare proposals, PFS and selectors of phase 2",
    },
    Entry {
        code: Code::QuickModeUnfinished,
        name: "quick-mode-unfinished",
        title: "The quick mode is not finished",
        initiator_sees: "QM2 that is refused, or nothing of note",
        responder_sees: "QM2 is repeated and QM3 never comes",
        causes: &["the initiator refuses our answer", "the initiator went away"],
        fix: "look into the initiator's log for the reason why it does not go on",
    },
    Entry {
        code: Code::NameUnresolved,
        name: "name-unresolved",
        title: "The peer's name has no address",
        initiator_sees: "nothing is sent; the state stays MM_NO_STATE",
        responder_sees: "nothing",
        causes: &["the name is misspelt", "the resolver does not answer"],
        fix: "check the peer's name and the resolver, or configure the peer by address",
    },
    Entry {
        code: Code::NoSource,
        name: "no-source",
        title: "There is no address to write from",
        initiator_sees: "nothing is sent; the state stays MM_NO_STATE",
        responder_sees: "nothing",
        causes: &["there is no route to the peer", "no address of the peer's family is configured"],
        fix: "check the route to the peer, or configure the local address",
    },
    Entry {
        code: Code::ProtocolError,
        name: "protocol-error",
        title: "A message breaks the protocol",
        initiator_sees: "a message that is refused",
        responder_sees: "a message that is refused",
        causes: &["the peer's implementation deviates", "a message was altered on the way"],
        fix: "record the exchange and compare it with the standard; the refusal names the field",
    },
    Entry {
        code: Code::PeerRefused,
        name: "peer-refused",
        title: "The peer refuses",
        initiator_sees: "a notify",
        responder_sees: "its own refusal",
        causes: &["the peer's log says it"],
        fix: "look into the peer's log",
    },
    Entry {
        code: Code::Limit,
        name: "limit",
        title: "A limit is reached",
        initiator_sees: "silence",
        responder_sees: "a refusal that names the limit",
        causes: &["more peers or children than configured for", "a flood"],
        fix: "raise the limit if the load is genuine",
    },
    Entry {
        code: Code::Local,
        name: "local",
        title: "Our own side failed",
        initiator_sees: "a refusal of its own",
        responder_sees: "a refusal of its own",
        causes: &["the data plane does not take the SA", "no SPI or no randomness is left"],
        fix: "look at the reason given and at this gateway's log",
    },
    Entry {
        code: Code::DeletedByPeer,
        name: "deleted-by-peer",
        title: "The peer took the SA down",
        initiator_sees: "an authenticated delete while a negotiation runs",
        responder_sees: "an authenticated delete while a negotiation runs",
        causes: &["phase 2 failed at the peer and it closed phase 1", "an operator took it down"],
        fix: "look into the peer's log, and compare proposals, PFS and selectors of phase 2",
    },
];
