//! A peer written by hand, from the RFCs and not from the crate under test: it says what it is told to, however wrong.

use std::net::SocketAddr;

use ipsec_ike::crypto::{CipherKey, CryptoProvider, KeyPair, PrfAlgorithm, Secret, Seeded};
use ipsec_ike::proto::isakmp::*;
use ipsec_ike::proto::registry::*;
use ipsec_ike::proto::{Cookie, Path};
use ipsec_ike::*;

use crate::support::*;

/// What came back for one datagram.
pub struct Answer {
    pub disposition: Disposition,
    pub datagrams: Vec<Datagram>,
}

impl Answer {
    pub fn octets(&self) -> &[u8] {
        assert_eq!(self.datagrams.len(), 1, "{:?}", self.disposition);
        &self.datagrams[0].octets
    }

    pub fn sent(&self) -> usize {
        self.datagrams.iter().map(|datagram| datagram.octets.len()).sum()
    }

    pub fn is_accepted(&self) -> bool {
        self.disposition == Disposition::Accepted
    }

    pub fn refusal(&self) -> &Refusal {
        match &self.disposition {
            Disposition::Refused(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// The notify in clear that came back, if that is all that came.
    pub fn clear_notify(&self) -> Option<NotifyType> {
        let [datagram] = self.datagrams.as_slice() else { return None };
        let message = Message::parse(&datagram.octets).unwrap();
        assert_eq!(message.header.exchange, ExchangeType::INFORMATIONAL);
        let Body::Clear(chain) = message.body else { return None };
        chain.notifies().next().map(|notify| notify.kind)
    }
}

/// Delivers to the right side, which is the one under attack, and takes what it says.
pub fn say_from(pair: &mut Pair, source: &str, octets: &[u8]) -> Answer {
    let source: SocketAddr = source.parse().unwrap();
    let path = Path::new(SocketAddr::new(pair.right.address, 500), source);
    let disposition = pair.right.ike.handle_datagram(pair.now, path, octets);
    pair.collect();
    let datagrams = pair.wire.drain(..).filter(|datagram| datagram.to == End::Left).collect();
    Answer { disposition, datagrams }
}

pub fn say(pair: &mut Pair, octets: &[u8]) -> Answer {
    say_from(pair, "192.0.2.1:500", octets)
}

/// What the right side holds, as far as a datagram could have changed it.
pub fn standing(pair: &Pair) -> String {
    let report = pair.right.ike.report(pair.now);
    format!("{:?} {:?} {}", report.ike_sas, report.children, report.half_open)
}

pub struct Keys {
    pub skeyid: Secret,
    pub a: Secret,
    pub cipher: Box<dyn CipherKey>,
    /// The last block of phase 1.
    pub iv: Vec<u8>,
}

/// An initiator with AES-128, SHA-1 and group 14.
pub struct Peer {
    pub cookies: (Cookie, Cookie),
    pub prf: &'static dyn PrfAlgorithm,
    provider: CryptoProvider,
    random: Seeded,
    pub nonce: Vec<u8>,
    pub public: Vec<u8>,
    own: Option<Box<dyn KeyPair>>,
    sai_b: Vec<u8>,
    gxr: Vec<u8>,
    keys: Option<Keys>,
}

pub fn phase1_attributes() -> Vec<Attribute> {
    [
        (Phase1Attribute::ENCRYPTION, 7),
        (Phase1Attribute::KEY_LENGTH, 128),
        (Phase1Attribute::HASH, 2),
        (Phase1Attribute::GROUP, 14),
        (Phase1Attribute::AUTHENTICATION_METHOD, 1),
        (Phase1Attribute::LIFE_TYPE, 1),
        (Phase1Attribute::LIFE_DURATION, 3600),
    ]
    .map(|(class, value)| Attribute::basic(class.0, value))
    .to_vec()
}

pub fn phase2_attributes() -> Vec<Attribute> {
    [
        (Phase2Attribute::LIFE_TYPE, 1),
        (Phase2Attribute::LIFE_DURATION, 600),
        (Phase2Attribute::ENCAPSULATION_MODE, 1),
        (Phase2Attribute::AUTHENTICATION_ALGORITHM, 2),
        (Phase2Attribute::KEY_LENGTH, 128),
    ]
    .map(|(class, value)| Attribute::basic(class.0, value))
    .to_vec()
}

pub fn phase1_sa(transforms: Vec<Vec<Attribute>>) -> SecurityAssociation {
    let transforms = transforms
        .into_iter()
        .zip((1..=u8::MAX).cycle())
        .map(|(attributes, number)| Transform { number, id: 1, attributes })
        .collect();
    SecurityAssociation::new(vec![Proposal {
        number: 1,
        protocol: ProtocolId::ISAKMP,
        spi: SpiBytes::EMPTY,
        transforms,
    }])
}

pub fn esp_proposal(spi: u32, attributes: Vec<Attribute>) -> Proposal {
    Proposal {
        number: 1,
        protocol: ProtocolId::ESP,
        spi: SpiBytes::new(&spi.to_be_bytes()).unwrap(),
        transforms: vec![Transform { number: 1, id: 12, attributes }],
    }
}

pub fn esp_sa(spi: u32) -> SecurityAssociation {
    SecurityAssociation::new(vec![esp_proposal(spi, phase2_attributes())])
}

/// IDci and IDcr as the default set-up of the right side wants them.
pub fn selectors() -> Vec<Payload> {
    let net = |third: u8| {
        let address = [10, third, 0, 0].into();
        Payload::Id(Id::new(IdValue::Ipv4Subnet(address, [255, 255, 255, 0].into())))
    };
    vec![net(1), net(2)]
}

impl Peer {
    pub fn new(seed: u64) -> Self {
        let provider = CryptoProvider::portable();
        let suite: IkeSuite = "aes128-sha1-modp2048".parse().unwrap();
        let mut cookie = [0x5a; 8];
        cookie[..8].copy_from_slice(&(seed | 1 << 60).to_be_bytes());
        Self {
            cookies: (Cookie(cookie), Cookie::ZERO),
            prf: provider.prf(suite.prf).unwrap(),
            provider,
            random: Seeded::from_u64(seed),
            nonce: vec![0x11; 16],
            public: Vec::new(),
            own: None,
            sai_b: Vec::new(),
            gxr: Vec::new(),
            keys: None,
        }
    }

    pub fn keys(&self) -> &Keys {
        self.keys.as_ref().expect("MM4 has been read")
    }

    pub fn header(&self, exchange: ExchangeType, message_id: u32) -> Header {
        Header::new(self.cookies.0, self.cookies.1, exchange, message_id)
    }

    pub fn clear(&self, exchange: ExchangeType, message_id: u32, payloads: &[Payload]) -> Vec<u8> {
        let mut out = Vec::new();
        encode_clear(&self.header(exchange, message_id), payloads, &mut out).unwrap();
        out
    }

    pub fn mm1_with(&mut self, payloads: &[Payload]) -> Vec<u8> {
        self.sai_b = payloads[0].body().unwrap();
        self.clear(ExchangeType::IDENTITY_PROTECTION, 0, payloads)
    }

    pub fn mm1(&mut self) -> Vec<u8> {
        self.mm1_with(&[Payload::Sa(phase1_sa(vec![phase1_attributes()]))])
    }

    pub fn take_mm2(&mut self, octets: &[u8]) {
        let message = Message::parse(octets).unwrap();
        assert_eq!(message.header.initiator, self.cookies.0);
        self.cookies.1 = message.header.responder;
        let suite: IkeSuite = "aes128-sha1-modp2048".parse().unwrap();
        let own = self.provider.group(suite.group).unwrap().generate(&mut self.random);
        self.public = own.public().to_vec();
        self.own = Some(own);
    }

    pub fn mm3_with(&self, payloads: &[Payload]) -> Vec<u8> {
        self.clear(ExchangeType::IDENTITY_PROTECTION, 0, payloads)
    }

    pub fn mm3(&self) -> Vec<u8> {
        self.mm3_with(&[
            Payload::KeyExchange(KeyExchange(self.public.clone())),
            Payload::Nonce(Nonce(self.nonce.clone())),
        ])
    }

    /// Reads MM4 and derives everything (RFC 2409 §5 and appendix B).
    pub fn take_mm4(&mut self, octets: &[u8], psk: &[u8]) {
        let message = Message::parse(octets).unwrap();
        let Body::Clear(chain) = message.body else { panic!("MM4 is in clear") };
        self.gxr.clone_from(&chain.key_exchange().unwrap().0);
        let nr = &chain.nonce().unwrap().0;
        let gxy = self.own.take().unwrap().agree(&self.gxr).unwrap();
        let (i, r) = (&self.cookies.0.0[..], &self.cookies.1.0[..]);
        let prf = self.prf;
        let skeyid = prf.mac(psk, &[&self.nonce, nr]);
        let d = prf.mac(skeyid.as_slice(), &[gxy.as_slice(), i, r, &[0]]);
        let a = prf.mac(skeyid.as_slice(), &[d.as_slice(), gxy.as_slice(), i, r, &[1]]);
        let e = prf.mac(skeyid.as_slice(), &[a.as_slice(), gxy.as_slice(), i, r, &[2]]);
        let suite: IkeSuite = "aes128-sha1-modp2048".parse().unwrap();
        let cipher = self.provider.cipher_key(suite.cipher, &e.as_slice()[..16]).unwrap();
        let iv = prf.hash(&[&self.public, &self.gxr])[..16].to_vec();
        self.keys = Some(Keys { skeyid, a, cipher, iv });
    }

    /// MM5 with an identity body; the chain does not move by it.
    pub fn mm5_with(&self, id_b: &[u8], more: &[Payload]) -> Vec<u8> {
        let (i, r) = (&self.cookies.0.0[..], &self.cookies.1.0[..]);
        let parts = [&self.public[..], &self.gxr, i, r, &self.sai_b, id_b];
        let hash = self.prf.mac(self.keys().skeyid.as_slice(), &parts);
        let mut payloads = vec![
            Payload::Other(PayloadType::ID, id_b.to_vec()),
            Payload::Hash(Hash(hash.as_slice().to_vec())),
        ];
        payloads.extend_from_slice(more);
        self.seal(&self.header(ExchangeType::IDENTITY_PROTECTION, 0), &self.keys().iv, &payloads)
    }

    pub fn mm5(&self) -> Vec<u8> {
        self.mm5_with(&[1, 0, 0, 0, 192, 0, 2, 1], &[])
    }

    /// MM6 came: phase 1 ends with its last block.
    pub fn take_mm6(&mut self, octets: &[u8]) {
        let last = octets[octets.len() - 16..].to_vec();
        self.keys.as_mut().unwrap().iv = last;
    }

    /// All of phase 1.
    pub fn up(pair: &mut Pair, seed: u64) -> Self {
        let mut peer = Self::new(seed);
        peer.exchange_keys(pair);
        let mm6 = say(pair, &peer.mm5());
        assert!(mm6.is_accepted(), "{:?}", mm6.disposition);
        // Behind it may come what the new SA replaces.
        peer.take_mm6(&mm6.datagrams[0].octets);
        peer
    }

    /// Phase 1 as far as MM4.
    pub fn exchange_keys(&mut self, pair: &mut Pair) {
        let mm2 = say(pair, &self.mm1());
        self.take_mm2(mm2.octets());
        let mm4 = say(pair, &self.mm3());
        self.take_mm4(mm4.octets(), PSK);
    }

    /// Seals exactly these payloads.
    pub fn seal(&self, header: &Header, iv: &[u8], payloads: &[Payload]) -> Vec<u8> {
        let mut text = Vec::new();
        let first = encode_chain(payloads, &mut text).unwrap();
        self.seal_text(header, iv, first, text)
    }

    pub fn seal_text(&self, header: &Header, iv: &[u8], first: PayloadType, mut text: Vec<u8>) -> Vec<u8> {
        text.resize(text.len().next_multiple_of(16), 0);
        self.keys().cipher.encrypt(iv, &mut text).unwrap();
        let mut out = Vec::new();
        encode_encrypted(header, first, &text, &mut out).unwrap();
        out
    }

    /// The first IV of a phase 2 exchange.
    pub fn iv(&self, message_id: u32) -> Vec<u8> {
        self.prf.hash(&[&self.keys().iv, &message_id.to_be_bytes()])[..16].to_vec()
    }

    /// A first message of phase 2: HASH(1) in front of the payloads.
    pub fn hashed(&self, exchange: ExchangeType, message_id: u32, payloads: &[Payload]) -> Vec<u8> {
        let mut rest = Vec::new();
        encode_chain(payloads, &mut rest).unwrap();
        let first = payloads.first().map_or(PayloadType::NONE, Payload::kind);
        self.hashed_text(exchange, message_id, first, &rest)
    }

    /// The same over octets that an encoder may refuse to write.
    pub fn hashed_text(
        &self,
        exchange: ExchangeType,
        message_id: u32,
        first: PayloadType,
        rest: &[u8],
    ) -> Vec<u8> {
        let hash = self.prf.mac(self.keys().a.as_slice(), &[&message_id.to_be_bytes(), rest]);
        let mut text = vec![first.0, 0, 0, 24];
        text.extend_from_slice(hash.as_slice());
        text.extend_from_slice(rest);
        self.seal_text(&self.header(exchange, message_id), &self.iv(message_id), PayloadType::HASH, text)
    }

    pub fn inform(&self, message_id: u32, payloads: &[Payload]) -> Vec<u8> {
        self.hashed(ExchangeType::INFORMATIONAL, message_id, payloads)
    }

    pub fn qm1(&self, message_id: u32, payloads: &[Payload]) -> Vec<u8> {
        self.hashed(ExchangeType::QUICK_MODE, message_id, payloads)
    }

    /// A QM1 that fits the default set-up.
    pub fn good_qm1(&self, message_id: u32, spi: u32) -> Vec<u8> {
        let mut payloads = vec![Payload::Sa(esp_sa(spi)), Payload::Nonce(Nonce(vec![0x22; 16]))];
        payloads.extend(selectors());
        self.qm1(message_id, &payloads)
    }

    /// QM3 for the QM2 that came.
    pub fn qm3(&self, message_id: u32, ni: &[u8], qm1: &[u8], qm2: &[u8]) -> Vec<u8> {
        let mut text = qm2[HEADER_LEN..].to_vec();
        self.keys().cipher.decrypt(&qm1[qm1.len() - 16..], &mut text).unwrap();
        let chain = Chain::parse(PayloadType::HASH, &text, HEADER_LEN, Tail::CipherPadding).unwrap();
        let nr = &chain.nonce().unwrap().0;
        let mid = message_id.to_be_bytes();
        // HASH(2) = prf(SKEYID_a, M-ID | Ni_b | rest)
        let rest = chain.get(0).unwrap().rest;
        let due = self.prf.mac(self.keys().a.as_slice(), &[&mid, ni, rest]);
        assert_eq!(chain.hash().unwrap().0, due.as_slice());
        let hash = self.prf.mac(self.keys().a.as_slice(), &[&[0], &mid, ni, nr]);
        let payloads = [Payload::Hash(Hash(hash.as_slice().to_vec()))];
        self.seal(&self.header(ExchangeType::QUICK_MODE, message_id), &qm2[qm2.len() - 16..], &payloads)
    }

    /// A whole quick mode.
    pub fn child(&self, pair: &mut Pair, message_id: u32, spi: u32) {
        let qm1 = self.good_qm1(message_id, spi);
        let qm2 = say(pair, &qm1);
        let qm3 = self.qm3(message_id, &[0x22; 16], &qm1, qm2.octets());
        let done = say(pair, &qm3);
        assert!(done.is_accepted(), "{:?}", done.disposition);
    }

    /// Opens an Informational that the right side sent, and gives its payloads.
    pub fn read_informational(&self, octets: &[u8]) -> Vec<Payload> {
        let header = Header::parse(octets).unwrap();
        assert_eq!(header.exchange, ExchangeType::INFORMATIONAL);
        let mut text = octets[HEADER_LEN..].to_vec();
        self.keys().cipher.decrypt(&self.iv(header.message_id), &mut text).unwrap();
        let chain = Chain::parse(header.next_payload, &text, HEADER_LEN, Tail::CipherPadding).unwrap();
        chain.payloads().cloned().collect()
    }
}
