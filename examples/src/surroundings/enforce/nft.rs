//! Carries a ruleset out through the program `nft`, and reads its counters.

use std::collections::BTreeMap;
use std::io;

use ipsec_io::node::{GuardDirection, GuardReport};
use nftables::batch::Batch;
use nftables::helper::{self, DEFAULT_NFT, NftablesError};
use nftables::schema::{NfListObject, Nftables, Table};
use nftables::types::NfFamily;
use serde_json::Value;

use super::ruleset::{Label, Ruleset, table_name};

/// Why the packet filter could not be set or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnforceError {
    /// The program is not there.
    #[error("the program nft cannot be run: {0}; fix: install nftables, or set enforce = false in [gateway]")]
    NoProgram(io::Error),
    /// It refused.
    #[error("{step}: {reason}")]
    Refused {
        /// What was to be done.
        step: &'static str,
        /// What it said.
        reason: String,
    },
}

/// What is counted for a policy and direction.
type Counts = BTreeMap<(String, GuardDirection), (u64, u64)>;

/// The rules of one gateway in the packet filter. They outlive this value, and the process: only
/// [`remove`](Self::remove) takes them away.
#[derive(Debug)]
pub struct Enforcer {
    table: String,
    /// Whose the counters are; empty until rules were applied.
    labels: Vec<Label>,
    /// What earlier sets of rules had counted when they were replaced.
    before: Counts,
    found: bool,
}

impl Enforcer {
    /// For the gateway with this TUN device. Nothing is changed yet.
    ///
    /// # Errors
    /// [`EnforceError`]: there is no `nft`, or it may not read the packet filter.
    pub fn open(tun: &str) -> Result<Self, EnforceError> {
        let table = table_name(tun);
        let tables = list(&["list", "tables", "inet"], "reading the tables of the packet filter")?;
        let found = objects(&tables, "table").any(|found| found["name"] == table.as_str());
        Ok(Self { table, labels: Vec::new(), before: Counts::new(), found })
    }

    /// Whether there were rules before this gateway's start: one before it was killed.
    #[must_use]
    pub const fn found_rules(&self) -> bool {
        self.found
    }

    /// Puts rules in the place of those that stand, in one transaction. Counting goes on where it was.
    ///
    /// # Errors
    /// [`EnforceError`]; the rules that stood still stand.
    pub fn apply(&mut self, ruleset: &Ruleset) -> Result<(), EnforceError> {
        let before = self.counts()?;
        apply(&ruleset.rules, "setting the rules of the packet filter")?;
        self.labels.clone_from(&ruleset.labels);
        self.before = before;
        Ok(())
    }

    /// Takes the rules away. That there are none is no error.
    ///
    /// # Errors
    /// [`EnforceError`].
    pub fn remove(&mut self) -> Result<(), EnforceError> {
        let table = || {
            NfListObject::Table(Table {
                family: NfFamily::INet,
                name: self.table.clone().into(),
                handle: None,
            })
        };
        let mut batch = Batch::new();
        batch.add(table());
        batch.delete(table());
        apply(&batch.to_nftables(), "removing the rules of the packet filter")?;
        self.labels.clear();
        Ok(())
    }

    /// What was dropped since the start, by policy and direction.
    ///
    /// # Errors
    /// [`EnforceError`], also where somebody else has removed the rules.
    pub fn report(&self) -> Result<Vec<GuardReport>, EnforceError> {
        let counts = self.counts()?;
        let mut reports: Vec<GuardReport> = Vec::new();
        for Label { policy, direction, .. } in &self.labels {
            if reports.iter().any(|report| report.policy == *policy && report.direction == *direction) {
                continue;
            }
            let key = (policy.clone(), *direction);
            let (packets, bytes) = counts.get(&key).copied().unwrap_or_default();
            reports.push(GuardReport { policy: key.0, direction: key.1, packets, bytes });
        }
        Ok(reports)
    }

    fn counts(&self) -> Result<Counts, EnforceError> {
        let mut counts = self.before.clone();
        if self.labels.is_empty() {
            return Ok(counts);
        }
        let listed = list(
            &["list", "counters", "table", "inet", &self.table],
            "reading the counters of the packet filter",
        )?;
        for counter in objects(&listed, "counter") {
            let label = self.labels.iter().find(|label| counter["name"] == label.counter.as_str());
            let Some(Label { policy, direction, .. }) = label else { continue };
            let sum = counts.entry((policy.clone(), *direction)).or_default();
            sum.0 += counter["packets"].as_u64().unwrap_or_default();
            sum.1 += counter["bytes"].as_u64().unwrap_or_default();
        }
        Ok(counts)
    }
}

/// As JSON rather than as the crate's types, whose counters have 32 bits.
fn list(words: &[&str], step: &'static str) -> Result<Value, EnforceError> {
    let text = helper::get_current_ruleset_raw(DEFAULT_NFT, words.iter().copied())
        .map_err(|error| failed(step, error))?;
    serde_json::from_str(&text).map_err(|error| EnforceError::Refused { step, reason: error.to_string() })
}

fn objects<'a>(listed: &'a Value, kind: &'static str) -> impl Iterator<Item = &'a Value> {
    listed["nftables"].as_array().into_iter().flatten().filter_map(move |object| object.get(kind))
}

fn apply(rules: &Nftables<'_>, step: &'static str) -> Result<(), EnforceError> {
    helper::apply_ruleset(rules).map_err(|error| failed(step, error))
}

fn failed(step: &'static str, error: NftablesError) -> EnforceError {
    match error {
        NftablesError::NftExecution { inner, .. } => EnforceError::NoProgram(inner),
        NftablesError::NftFailed { stderr, stdout, .. } => {
            let said = if stderr.trim().is_empty() { stdout } else { stderr };
            // What follows the first lines is the rules themselves.
            let reason = said.lines().take(2).collect::<Vec<_>>().join(" ");
            EnforceError::Refused { step, reason }
        }
        other => EnforceError::Refused { step, reason: other.to_string() },
    }
}
