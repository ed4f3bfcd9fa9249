//! What the demonstration has to tell, as plain data: the play produces moments, the audiences show them.

use serde::Serialize;

/// One of the two gateways on the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The gateway on the left: it initiates.
    West,
    /// The gateway on the right: it responds.
    East,
}

impl Side {
    /// The gateway's name, as printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::West => "west",
            Self::East => "east",
        }
    }

    /// The other gateway.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::West => Self::East,
            Self::East => Self::West,
        }
    }
}

/// Something that happened, or that is worth showing, in the order it happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "moment", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Moment {
    /// Who is on the stage; told once, first.
    Scene(Scene),
    /// A new stage of the five begins.
    Stage(Stage),
    /// A sentence of narration.
    Note {
        /// The sentence, without a full stop's worth of markup.
        text: String,
    },
    /// A list of settings both gateways share or differ in.
    Settings {
        /// One row a setting.
        rows: Vec<Setting>,
    },
    /// The picture of the negotiation begins: what follows are messages until [`Moment::LadderEnds`].
    LadderBegins,
    /// A datagram was put on the wire.
    Message(Message),
    /// Something a gateway concluded between two messages.
    Fact(Fact),
    /// The picture of the negotiation ends.
    LadderEnds,
    /// A table: the IKE SA, SAD and SPD reports.
    Table(Table),
    /// A packet, at one step of its way.
    Packet(Packet),
    /// How fast packets go through both gateways.
    Throughput(Throughput),
    /// What both ends were compared on; told once, last.
    Verdict(Verdict),
}

/// Who is on the stage.
#[derive(Clone, Debug, Serialize)]
pub struct Scene {
    /// What every random choice is derived from.
    pub seed: u64,
    /// Share of datagrams the wire loses, in percent.
    pub loss_percent: f64,
    /// One way delay of the wire, in microseconds.
    pub delay_us: u64,
    /// The network behind the western gateway.
    pub west_net: String,
    /// The western gateway's address.
    pub west: String,
    /// The eastern gateway's address.
    pub east: String,
    /// The network behind the eastern gateway.
    pub east_net: String,
}

/// One of the five stages of an IPsec connection.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// 1 to 5.
    pub number: u8,
    /// Its name.
    pub title: &'static str,
    /// What it is about, in a sentence.
    pub about: &'static str,
}

/// A setting and its value at each gateway.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    /// What is set.
    pub name: &'static str,
    /// Its value at the western gateway.
    pub west: String,
    /// Its value at the eastern gateway.
    pub east: String,
}

/// What became of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It reached the peer.
    Delivered,
    /// The wire lost it.
    Lost,
}

/// Whether an eavesdropper can read a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cover {
    /// Anyone on the path reads it.
    Clear,
    /// An IKE message under the ISAKMP SA's keys.
    Ike,
    /// An ESP packet.
    Esp,
}

/// A datagram on the wire between the gateways.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// Time on the simulated clock at which it was sent, in microseconds since the start.
    pub at_us: u64,
    /// Who sent it.
    pub from: Side,
    /// The message's name: `MM1` … `QM3`, `INFO`, `ESP`.
    pub name: String,
    /// How often the same octets have been sent before.
    pub repeat: u32,
    /// Its payloads, in order, as short names.
    pub payloads: Vec<String>,
    /// Who can read it.
    pub cover: Cover,
    /// Size of the UDP payload in octets.
    pub octets: usize,
    /// What became of it.
    pub fate: Fate,
}

/// Something a gateway concluded.
#[derive(Clone, Debug, Serialize)]
pub struct Fact {
    /// Time on the simulated clock, in microseconds since the start.
    pub at_us: u64,
    /// Whose conclusion it is.
    pub side: Side,
    /// The conclusion, in a few words.
    pub text: String,
    /// Whether it ends a phase well, badly, or is a step on the way.
    pub tone: Tone,
}

/// How a fact is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// A step on the way, such as a state change.
    Quiet,
    /// An SA is up.
    Good,
    /// Something failed or was dropped.
    Bad,
}

/// A report as rows and columns.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    /// What the report is.
    pub title: String,
    /// Whose it is, when it is one gateway's.
    pub side: Option<Side>,
    /// The columns' names.
    pub columns: Vec<&'static str>,
    /// The rows; each as long as `columns`.
    pub rows: Vec<Vec<String>>,
}

/// A packet at one step of its way through the tunnel.
#[derive(Clone, Debug, Serialize)]
pub struct Packet {
    /// The step: `clear`, `sealed`, `opened`.
    pub step: &'static str,
    /// Where that is, in a few words.
    pub place: String,
    /// The octets.
    #[serde(serialize_with = "as_hex")]
    pub octets: Vec<u8>,
    /// What they mean, in order and without gaps.
    pub fields: Vec<Field>,
}

/// A run of octets of a packet with one meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Offset of its first octet.
    pub start: usize,
    /// Offset after its last octet.
    pub end: usize,
    /// Which part of the packet it belongs to.
    pub part: Part,
    /// Its name and value.
    pub label: String,
}

/// The part of a packet a field belongs to; a colour on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// An IP or UDP header of the outer packet.
    Outer,
    /// ESP's own fields that travel in clear: SPI, sequence number, IV.
    Esp,
    /// Encrypted octets.
    Cipher,
    /// The integrity check value.
    Icv,
    /// A header of the inner packet.
    Inner,
    /// The inner packet's data.
    Data,
}

/// How fast packets go through both gateways, on the real clock.
#[derive(Clone, Debug, Serialize)]
pub struct Throughput {
    /// Packets sent into the western gateway.
    pub sent: u64,
    /// Packets that came out of the eastern gateway.
    pub received: u64,
    /// Octets of inner IP packets that came out.
    pub octets: u64,
    /// Size of one inner packet in octets.
    pub packet_octets: usize,
    /// Real time it took, in nanoseconds: sealing, the simulated wire and opening, on one core.
    pub elapsed_ns: u128,
}

impl Throughput {
    /// Payload rate in bits a second; zero when no time passed.
    #[must_use]
    pub fn bits_per_second(&self) -> f64 {
        rate(self.octets as f64 * 8.0, self.elapsed_ns)
    }

    /// Packets a second; zero when no time passed.
    #[must_use]
    pub fn packets_per_second(&self) -> f64 {
        rate(self.received as f64, self.elapsed_ns)
    }
}

fn rate(amount: f64, elapsed_ns: u128) -> f64 {
    if elapsed_ns == 0 { 0.0 } else { amount * 1e9 / elapsed_ns as f64 }
}

/// One thing both ends must agree on.
#[derive(Clone, Debug, Serialize)]
pub struct Agreement {
    /// What is compared.
    pub what: String,
    /// What the western gateway says.
    pub west: String,
    /// What the eastern gateway says.
    pub east: String,
    /// Whether they agree.
    pub holds: bool,
}

impl Agreement {
    /// Compares what both ends say.
    #[must_use]
    pub fn compare(what: impl Into<String>, west: impl Into<String>, east: impl Into<String>) -> Self {
        let (west, east) = (west.into(), east.into());
        let holds = west == east;
        Self { what: what.into(), west, east, holds }
    }

    /// Compares octets, and shows how many they are.
    #[must_use]
    pub fn same_octets(what: impl Into<String>, west: &[u8], east: &[u8]) -> Self {
        let octets = |packet: &[u8]| format!("{} octets", packet.len());
        Self {
            what: what.into(),
            west: octets(west),
            east: octets(east),
            holds: west == east && !west.is_empty(),
        }
    }
}

/// What the comparison of both ends came to.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// One row a thing compared.
    pub agreements: Vec<Agreement>,
    /// Whether all hold.
    pub holds: bool,
    /// Simulated time from the first packet to the tunnel's first delivery, in microseconds.
    pub bring_up_us: u64,
    /// Datagrams put on the wire until then, lost ones included.
    pub datagrams: u64,
    /// How many of those the wire lost.
    pub lost: u64,
}

fn as_hex<S: serde::Serializer>(octets: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(octets.len() * 2);
    for octet in octets {
        write!(text, "{octet:02x}").map_err(serde::ser::Error::custom)?;
    }
    serializer.serialize_str(&text)
}
