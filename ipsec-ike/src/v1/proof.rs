//! MM5 and MM6: who each end is, and the proof that it has the key (RFC 2409 §5, §5.4).

use ipsec_crypto::{CryptoError, Secret};
use ipsec_proto::isakmp::{self, Header, Id, IdValue, Payload, Protection, Step};
use ipsec_proto::registry::{NotifyType, PayloadType};

use super::keys::{SaKeys, skeyid_psk};
use super::main::{Agreed, Authenticating, Established, absent, gate};
use super::share::{Shares, Surroundings};
use super::wire;
use crate::event::Cookies;
use crate::identity::{self, Identity};
use crate::natt::{self, NatFound};
use crate::refusal::{Cause, Refusal};
use crate::state::{MessageNumber, Role};

/// What a verified MM5 or MM6 has proven.
#[derive(Debug)]
pub(crate) struct Proven {
    /// Who the peer says it is, or why that cannot be: it holds the key all the same.
    pub(crate) identity: Result<Identity, Refusal>,
    pub(crate) initial_contact: bool,
    /// The payloads by name, for a person.
    pub(crate) payloads: String,
    next_iv: Vec<u8>,
}

impl Authenticating {
    pub(super) fn new(
        sai_b: Vec<u8>,
        agreed: Agreed,
        shares: Shares<'_>,
        nat_hashes: &[Vec<u8>],
        gxy: &Secret,
        around: Surroundings<'_>,
    ) -> Result<Self, CryptoError> {
        let Surroundings { connection, cookies, path, provider } = around;
        let prf = provider.prf(agreed.suite.prf)?;
        let skeyid = skeyid_psk(prf, connection.psk.octets(), shares.ni, shares.nr);
        let keys = SaKeys::new(provider, &agreed.suite, skeyid, gxy, cookies)?;
        let iv = keys.phase1_iv(&shares.gxi, &shares.gxr);
        let received: Vec<_> = nat_hashes.iter().map(Vec::as_slice).collect();
        let nat =
            natt::discover(connection.nat_traversal, cookies, path, &received, |octets| prf.hash(&[octets]));
        Ok(Self { sai_b, agreed, keys, gxi: shares.gxi, gxr: shares.gxr, iv, nat })
    }

    pub(crate) const fn nat(&self) -> NatFound {
        self.nat
    }

    pub(crate) const fn keys(&self) -> &SaKeys {
        &self.keys
    }

    /// The IV that the peer's next phase 1 message needs; an Informational before MM6 derives its own from it.
    pub(crate) fn iv(&self) -> &[u8] {
        &self.iv
    }

    /// HASH_I or HASH_R (RFC 2409 §5): the prover's own values first.
    fn proof(&self, prover: Role, cookies: &Cookies, id_b: &[u8]) -> Secret {
        let (i, r) = (&cookies.initiator.0[..], &cookies.responder.0[..]);
        let parts = match prover {
            Role::Initiator => [&self.gxi[..], &self.gxr, i, r, &self.sai_b, id_b],
            Role::Responder => [&self.gxr[..], &self.gxi, r, i, &self.sai_b, id_b],
        };
        self.keys.prf.mac(self.keys.skeyid.as_slice(), &parts)
    }

    /// Our own proof, MM5 or MM6, sealed; the chain moves on by it.
    pub(crate) fn prove(
        &mut self,
        prover: Role,
        cookies: &Cookies,
        header: &Header,
        identity: &Identity,
        extra: Vec<Payload>,
    ) -> (Vec<u8>, String) {
        let id = Payload::Id(Id::new(IdValue::Other(identity.kind(), identity.data().to_vec())));
        let hash = self.proof(prover, cookies, &wire::body(&id));
        let mut payloads = vec![id, Payload::Hash(isakmp::Hash(hash.as_slice().to_vec()))];
        payloads.extend(extra);
        let sealed = wire::seal(self.keys.cipher.as_ref(), &self.iv, header, &payloads);
        self.iv = sealed.next_iv;
        (sealed.octets, wire::names(payloads.iter()))
    }

    /// Checks the peer's proof. Nothing changes, whatever it is.
    pub(crate) fn check(
        &self,
        us: Role,
        cookies: &Cookies,
        header: &Header,
        ciphertext: &[u8],
    ) -> Result<Proven, Refusal> {
        let (step, number) = match us {
            Role::Responder => (Step::Mm5, MessageNumber::Mm5),
            Role::Initiator => (Step::Mm6, MessageNumber::Mm6),
        };
        let refuse = |cause, detail: String| Refusal::new(cause, number, us, detail);
        let opened = wire::open(self.keys.cipher.as_ref(), &self.iv, header, ciphertext)
            .ok_or_else(|| refuse(Cause::Undecryptable, "the ciphertext is not whole blocks".into()))?;
        let chain = opened.chain().map_err(|error| refuse(Cause::Undecryptable, error.to_string()))?;
        gate(step, Protection::Encrypted, &chain, number, us)?;
        let id = chain.of(PayloadType::ID).next().ok_or_else(|| absent(number, us))?;
        let hash = chain.hash().ok_or_else(|| {
            refuse(
                Cause::UnexpectedPayload,
                "a signature came where a hash is due: the peer authenticates otherwise".into(),
            )
        })?;
        if !self.proof(us.other(), cookies, id.body).ct_eq(&hash.0) {
            return Err(refuse(
                Cause::AuthenticationFailed,
                "the peer's hash is not the one that our key makes".into(),
            ));
        }
        Ok(Proven {
            identity: identity_of(id.body).map_err(|detail| refuse(Cause::IdentityMismatch, detail)),
            initial_contact: chain.notifies().any(|notify| notify.kind == NotifyType::INITIAL_CONTACT),
            payloads: wire::names(chain.payloads()),
            next_iv: opened.next_iv.clone(),
        })
    }

    /// Moves the IV chain behind the peer's verified message.
    pub(crate) fn advance(&mut self, proven: &Proven) {
        self.iv.clone_from(&proven.next_iv);
    }

    /// Both ends are proven: the chain's last block stays.
    pub(crate) fn establish(self, local_id: Identity, remote_id: Identity) -> Established {
        Established {
            keys: self.keys,
            agreed: self.agreed,
            last_block: self.iv,
            nat: self.nat,
            local_id,
            remote_id,
        }
    }
}

/// Reads the body of an ID payload of phase 1. Its protocol and port are those of IKE or not given (RFC 2407 §4.6.2);
/// the field also has UDP without a port, and the port of NAT traversal.
fn identity_of(body: &[u8]) -> Result<Identity, String> {
    let [kind, protocol, high, low, data @ ..] = body else {
        return Err(format!("an identity of {} octets", body.len()));
    };
    let port = u16::from_be_bytes([*high, *low]);
    if !matches!((*protocol, port), (0, 0) | (17, 0 | 500 | 4500)) {
        return Err(format!("an identity for protocol {protocol} and port {port}"));
    }
    if data.is_empty() || data.len() > identity::MAX_LENGTH {
        return Err(format!("an identity of {} octets", data.len()));
    }
    Ok(Identity::from_wire((*kind).into(), data.to_vec()))
}
