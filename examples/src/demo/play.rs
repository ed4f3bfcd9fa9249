//! The script: five stages, three reports, one packet looked at closely, throughput, and the comparison of both ends.

use std::io::Write;
use std::time::Duration;

use ipsec_io::crypto::{EspSuite, Integrity};
use ipsec_io::memory::{Chance, Conditions};
use ipsec_io::pcap::Recorder;

use super::cast::{ESP_PROPOSAL, IKE_PROPOSAL, role};
use super::moment::{Agreement, Cover, Field, Moment, Packet, Scene, Setting, Side, Stage, Verdict};
use super::packets::{Sealing, clear_fields, echo_reply, echo_request, on_the_wire, sealed_fields};
use super::world::{Happening, World};
use super::{Audience, DemoError, report, throughput};

/// One way delay of the wire.
const DELAY: Duration = Duration::from_millis(10);
/// How long alice waits for an answer before she asks again.
const PING_INTERVAL: Duration = Duration::from_secs(1);
/// How much simulated time everything may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long late datagrams are waited for at the end, so that both ends have the same to tell.
const QUIET: Duration = Duration::from_secs(3);

/// What can be chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// What every random choice is derived from: the same seed gives the same octets.
    pub seed: u64,
    /// Share of datagrams that the wire loses, from 0 to 1.
    pub loss: f64,
}

/// Gives the demonstration. `recording` is written as pcapng, with what the western gateway sees of both its sides.
///
/// # Errors
/// [`DemoError`]; that both ends disagree is none, but told in the [`Verdict`].
pub fn play(
    options: Options,
    recording: Option<Box<dyn Write + Send>>,
    audience: &mut dyn Audience,
) -> Result<Verdict, DemoError> {
    let recorder = recording.map(Recorder::new).transpose()?;
    let conditions = Conditions { loss: Chance::of(options.loss), delay: DELAY, ..Conditions::default() };
    let world = World::new(options.seed, conditions, recorder.as_ref())?;
    let verdict = Play { world, audience, sequence: 0, chapter: Chapter::Before }.perform(options)?;
    if let Some(recorder) = recorder {
        recorder.flush()?;
        if let Some(error) = recorder.error() {
            return Err(DemoError::Io(std::io::Error::other(error)));
        }
    }
    Ok(verdict)
}

/// Where in the picture of the negotiation we are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chapter {
    Before,
    Phase1,
    Phase2,
    Passage,
    After,
}

struct Play<'a> {
    world: World,
    audience: &'a mut dyn Audience,
    sequence: u16,
    chapter: Chapter,
}

impl Play<'_> {
    fn perform(mut self, options: Options) -> Result<Verdict, DemoError> {
        self.scene(options)?;
        self.interesting_traffic()?;
        self.configuration()?;
        let answered = self.negotiation()?;
        let bring_up = self.world.elapsed();
        let (datagrams, lost) = self.world.datagrams();
        self.settle()?;
        self.reports()?;
        let opened = self.close_look()?;
        let throughput = throughput::measure(&mut self.world)?;
        self.show(Moment::Throughput(throughput.clone()))?;
        let mut agreements = report::agreements(&self.world);
        agreements.extend([answered, opened, report::lossless(&throughput)]);
        let verdict = Verdict {
            holds: agreements.iter().all(|row| row.holds),
            agreements,
            bring_up_us: u64::try_from(bring_up.as_micros()).unwrap_or(u64::MAX),
            datagrams,
            lost,
        };
        self.show(Moment::Verdict(verdict.clone()))?;
        Ok(verdict)
    }

    fn show(&mut self, moment: Moment) -> Result<(), DemoError> {
        Ok(self.audience.show(&moment)?)
    }

    fn note(&mut self, text: impl Into<String>) -> Result<(), DemoError> {
        self.show(Moment::Note { text: text.into() })
    }

    fn stage(&mut self, number: u8, title: &'static str, about: &'static str) -> Result<(), DemoError> {
        self.show(Moment::Stage(Stage { number, title, about }))
    }

    fn scene(&mut self, options: Options) -> Result<(), DemoError> {
        let (west, east) = (role(Side::West), role(Side::East));
        self.show(Moment::Scene(Scene {
            seed: options.seed,
            loss_percent: options.loss * 100.0,
            delay_us: u64::try_from(DELAY.as_micros()).unwrap_or(u64::MAX),
            west_net: west.net.to_owned(),
            west: west.gateway.to_string(),
            east: east.gateway.to_string(),
            east_net: east.net.to_owned(),
        }))
    }

    /// The first packet, which makes everything else happen.
    fn interesting_traffic(&mut self) -> Result<(), DemoError> {
        self.stage(
            1,
            "Interesting traffic",
            "A host sends a packet. The gateway's policies say whether it is to be protected.",
        )?;
        let (alice, bob) = (role(Side::West), role(Side::East));
        self.note(format!(
            "{} ({}) pings {} ({}). West's policy {}/net covers {} to {} and says: protect. There is no SA for it yet, \
             so west keeps the packet and asks IKE for one.",
            alice.host_name, alice.host, bob.host_name, bob.host, alice.connection, alice.net, bob.net
        ))?;
        self.request()?;
        Ok(())
    }

    fn configuration(&mut self) -> Result<(), DemoError> {
        self.stage(
            2,
            "Configuration",
            "Both gateways were told beforehand who the peer is and what to accept: one is the mirror of the other.",
        )?;
        let (west, east) = (role(Side::West), role(Side::East));
        let both = |name, value: &str| Setting { name, west: value.to_owned(), east: value.to_owned() };
        let rows = vec![
            Setting { name: "peer", west: east.gateway.to_string(), east: west.gateway.to_string() },
            Setting { name: "protects", west: west.net.to_owned(), east: east.net.to_owned() },
            Setting { name: "towards", west: east.net.to_owned(), east: west.net.to_owned() },
            both("phase 1", IKE_PROPOSAL),
            both("phase 2", ESP_PROPOSAL),
            both("authentication", "pre-shared key"),
        ];
        self.show(Moment::Settings { rows })
    }

    /// Phase 1, phase 2 and the first passage, until an answer is back. What happened is shown as it happens.
    fn negotiation(&mut self) -> Result<Agreement, DemoError> {
        self.enter(Chapter::Phase1)?;
        self.narrate()?;
        let mut sent_at = Duration::ZERO;
        let mut replies = Vec::new();
        while self.world.elapsed() < PATIENCE {
            self.world.step((sent_at + PING_INTERVAL).min(PATIENCE));
            self.narrate()?;
            while let Some(packet) = self.world.delivered(Side::East) {
                if let Some(reply) = echo_reply(&packet) {
                    replies.push(reply.clone());
                    self.world.send(Side::East, reply)?;
                    self.narrate()?;
                }
            }
            if let Some(answer) = self.world.delivered(Side::West) {
                // Whichever of bob's answers came first.
                let sent = replies.iter().find(|reply| **reply == answer).cloned().unwrap_or_default();
                let agreement = Agreement::same_octets("alice got the answer that bob sent", &answer, &sent);
                self.enter(Chapter::After)?;
                return Ok(agreement);
            }
            if self.world.elapsed() >= sent_at + PING_INTERVAL {
                sent_at = self.world.elapsed();
                self.request()?;
                self.narrate()?;
            }
        }
        self.enter(Chapter::After)?;
        Err(DemoError::NoTunnel(PATIENCE.as_secs()))
    }

    /// Alice asks, once more.
    fn request(&mut self) -> Result<Vec<u8>, DemoError> {
        self.sequence += 1;
        let packet = echo_request(role(Side::West).host, role(Side::East).host, self.sequence)?;
        self.world.send(Side::West, packet.clone())?;
        Ok(packet)
    }

    /// Lets late datagrams arrive, and forgets late packets.
    fn settle(&mut self) -> Result<(), DemoError> {
        let end = self.world.elapsed() + QUIET;
        while self.world.elapsed() < end {
            self.world.step(end);
        }
        while self.world.happened().is_some() {}
        for side in [Side::West, Side::East] {
            while self.world.delivered(side).is_some() {}
        }
        Ok(())
    }

    /// Shows what has happened, each message in its stage.
    fn narrate(&mut self) -> Result<(), DemoError> {
        while let Some(happening) = self.world.happened() {
            match happening {
                Happening::Message(message) => {
                    if message.cover == Cover::Esp && self.chapter == Chapter::Phase2 {
                        self.enter(Chapter::Passage)?;
                    }
                    self.show(Moment::Message(message))?;
                }
                Happening::Fact(fact) => self.show(Moment::Fact(fact))?,
                Happening::IkeUp if self.chapter == Chapter::Phase1 => self.enter(Chapter::Phase2)?,
                Happening::IkeUp => {}
            }
        }
        Ok(())
    }

    fn enter(&mut self, chapter: Chapter) -> Result<(), DemoError> {
        if self.chapter != Chapter::Before {
            self.show(Moment::LadderEnds)?;
        }
        self.chapter = chapter;
        match chapter {
            Chapter::Before | Chapter::After => return Ok(()),
            Chapter::Phase1 => self.stage(
                3,
                "Phase 1: Main Mode",
                "The gateways agree on algorithms (MM1, MM2), exchange Diffie-Hellman values (MM3, MM4), and prove that \
                 they know the pre-shared key, already encrypted (MM5, MM6). Result: one ISAKMP SA.",
            )?,
            Chapter::Phase2 => self.stage(
                4,
                "Phase 2: Quick Mode",
                "Under the ISAKMP SA they negotiate what protects packets: algorithms, networks, fresh keys. Result: two \
                 IPsec SAs, one each way.",
            )?,
            Chapter::Passage => self.stage(
                5,
                "Encrypted passage",
                "The packet that waited goes through the tunnel, and its answer comes back.",
            )?,
        }
        self.show(Moment::LadderBegins)
    }

    fn reports(&mut self) -> Result<(), DemoError> {
        for table in report::tables(&self.world) {
            self.show(Moment::Table(table))?;
        }
        Ok(())
    }

    /// One more ping, on a wire that no longer loses anything, looked at closely.
    fn close_look(&mut self) -> Result<Agreement, DemoError> {
        self.world.lose_nothing();
        let clear = self.request()?;
        let sealed = self.world.esp(Side::West).last.ok_or(DemoError::NoTunnel(PATIENCE.as_secs()))?;
        let end = self.world.elapsed() + PING_INTERVAL;
        let mut opened = None;
        while self.world.elapsed() < end {
            self.world.step(end);
            opened = opened.or_else(|| self.world.delivered(Side::East));
        }
        let opened = opened.unwrap_or_default();
        while self.world.happened().is_some() {}
        let suite: Option<EspSuite> =
            self.world.report(Side::West).children.first().and_then(|child| child.suite.parse().ok());
        let sealing = suite.map_or(Sealing { iv: 0, icv: 0 }, |suite| Sealing {
            iv: suite.cipher.iv_len(),
            icv: suite.integrity.map_or(0, Integrity::icv_len),
        });
        let wire = on_the_wire(sealed.path.local, sealed.path.remote, sealed.encap, &sealed.octets)?;
        self.packet("clear", "as alice sends it to west", clear.clone(), clear_fields(&clear))?;
        let fields = sealed_fields(&wire, sealed.encap, sealing);
        self.packet("sealed", "as west sends it to east", wire, fields)?;
        self.packet("opened", "as east hands it to bob", opened.clone(), clear_fields(&opened))?;
        Ok(Agreement::same_octets("the opened packet is the clear one", &clear, &opened))
    }

    fn packet(
        &mut self,
        step: &'static str,
        place: &str,
        octets: Vec<u8>,
        fields: Vec<Field>,
    ) -> Result<(), DemoError> {
        self.show(Moment::Packet(Packet { step, place: place.to_owned(), octets, fields }))
    }
}
