//! From connections and rules to an SPD, with numbers that stay when the configuration changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipsec_sad::{Action, Policy, PolicyId, Selector, Spd};

use super::config::{NodeConfig, RuleAction, SetupError};
use super::manual::Manual;

/// The policies in force, and the numbers they have.
#[derive(Debug)]
pub(super) struct Policies {
    pub(super) spd: Arc<Spd>,
    numbers: BTreeMap<String, (Selector, Action, PolicyId)>,
    next: u32,
}

impl Policies {
    /// The SPD of `config`. A policy that `before` has too, with the same name, selector and action, keeps its number
    /// and with it its counters.
    pub(super) fn compile(
        config: &NodeConfig,
        manual: &Manual,
        before: Option<&Self>,
    ) -> Result<Self, SetupError> {
        check_templates(config)?;
        let mut next = before.map_or(0, |before| before.next);
        let mut numbers = BTreeMap::new();
        let mut policies = Vec::new();
        for mut policy in all(config, manual.policies()) {
            let same = before.and_then(|before| before.numbers.get(&policy.name));
            policy.id = match same {
                Some((selector, action, id)) if *selector == policy.selector && *action == policy.action => {
                    *id
                }
                _ => {
                    next += 1;
                    PolicyId(next - 1)
                }
            };
            numbers.insert(policy.name.clone(), (policy.selector, policy.action, policy.id));
            policies.push(policy);
        }
        let spd = Spd::builder(action(config.default)).extend(policies).build()?;
        Ok(Self { spd: Arc::new(spd), numbers, next })
    }
}

/// The name of a child's policy in reports.
pub(super) fn child_name(connection: &str, child: &str) -> String {
    format!("{connection}/{child}")
}

fn action(rule: RuleAction) -> Action {
    match rule {
        RuleAction::Bypass => Action::Bypass,
        RuleAction::Discard => Action::Discard,
    }
}

/// Every policy in the order of the configuration, those of manual tunnels between; the numbers are still to be given.
pub(super) fn all(config: &NodeConfig, manual: impl Iterator<Item = Policy>) -> impl Iterator<Item = Policy> {
    rules(config).chain(manual).chain(children(config))
}

fn rules(config: &NodeConfig) -> impl Iterator<Item = Policy> {
    config.rules.iter().map(|rule| Policy {
        applies: rule.applies,
        ..Policy::new(PolicyId(0), rule.name.clone(), rule.selector, action(rule.action))
    })
}

fn children(config: &NodeConfig) -> impl Iterator<Item = Policy> {
    config.ike.connections().iter().flat_map(|connection| {
        connection.children.iter().map(|child| {
            let name = child_name(&connection.name, &child.name);
            Policy::new(PolicyId(0), name, child.selector, Action::Protect(child.template))
        })
    })
}

fn check_templates(config: &NodeConfig) -> Result<(), SetupError> {
    let mut seen = BTreeSet::new();
    for connection in config.ike.connections() {
        for child in &connection.children {
            if !seen.insert(child.template) {
                return Err(SetupError::DuplicateTemplate {
                    connection: connection.name.clone(),
                    child: child.name.clone(),
                    template: child.template,
                });
            }
        }
    }
    Ok(())
}
