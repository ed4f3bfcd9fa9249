//! Commands: each is closed by exactly one [`Event::Done`].

use std::collections::BTreeSet;
use std::sync::Arc;

use super::children::callable;
use super::{Ike, check_algorithms};
use crate::clock::Now;
use crate::config::{Child, Config, Connection};
use crate::diagnosis::Diagnosis;
use crate::event::{DownReason, Event, Outcome, RequestId};
use crate::output::{Command, CommandError, CommandResult};
use crate::pad;
use crate::sa::SaId;
use crate::state::Role;
use crate::v1::main::Phase1;

/// A command that waits for children.
#[derive(Debug)]
pub(super) struct Request {
    connection: Arc<str>,
    waiting: BTreeSet<Arc<str>>,
    failure: Option<Diagnosis>,
}

impl Ike {
    /// Carries out a command. Its end is told by [`Event::Done`] with the number given back.
    ///
    /// # Errors
    /// Where the command makes no sense; then there is no [`Event::Done`].
    pub fn command(&mut self, now: Now, command: Command) -> CommandResult {
        match command {
            Command::Up { connection, child } => self.up(now, &connection, child.as_deref()),
            Command::Down { connection, child } => self.down(now, &connection, child.as_deref()),
            Command::Clear => {
                let id = self.request();
                let names: BTreeSet<_> = self
                    .children
                    .values()
                    .map(|child| Arc::clone(&child.connection))
                    .chain(self.sas.values().map(|sa| Arc::clone(&sa.name)))
                    .collect();
                for name in names {
                    self.take_down(now, &name, None, &DownReason::Command);
                }
                Ok(self.done(id, Outcome::Done))
            }
            Command::Reload(config) => self.reload(now, config),
        }
    }

    fn request(&mut self) -> RequestId {
        self.next_request += 1;
        RequestId(self.next_request)
    }

    fn done(&mut self, request: RequestId, outcome: Outcome) -> RequestId {
        self.core.outbox.event(Event::Done { request, outcome });
        request
    }

    fn named(&self, name: &str, child: Option<&str>) -> Result<(Arc<Connection>, Vec<Child>), CommandError> {
        let connection = self
            .core
            .config
            .connection(name)
            .cloned()
            .ok_or_else(|| CommandError::UnknownConnection { name: name.to_owned() })?;
        let children = match child {
            None => connection.children.clone(),
            Some(child) => vec![connection.child(child).cloned().ok_or_else(|| {
                CommandError::UnknownChild { connection: name.to_owned(), child: child.to_owned() }
            })?],
        };
        Ok((connection, children))
    }

    fn up(&mut self, now: Now, name: &str, child: Option<&str>) -> CommandResult {
        let (connection, children) = self.named(name, child)?;
        if self.active_sa(name).is_none() {
            callable(&connection)?;
        }
        let id = self.request();
        let missing: Vec<_> =
            children.into_iter().filter(|child| !self.is_covered(name, &child.name)).collect();
        if missing.is_empty() {
            return Ok(self.done(id, Outcome::AlreadyUp));
        }
        let waiting = missing.iter().map(|child| Arc::from(child.name.as_str())).collect();
        let request = Request { connection: name.into(), waiting, failure: None };
        self.requests.insert(id, request);
        for child in missing {
            self.want(now, &connection, child, Vec::new(), None);
        }
        Ok(id)
    }

    fn down(&mut self, now: Now, name: &str, child: Option<&str>) -> CommandResult {
        self.named(name, child)?;
        let id = self.request();
        self.take_down(now, name, child, &DownReason::Command);
        Ok(self.done(id, Outcome::Done))
    }

    /// Takes down a connection's children, or one of them; without one named, its ISAKMP SAs too.
    fn take_down(&mut self, now: Now, name: &str, child: Option<&str>, reason: &DownReason) {
        let cancelled: Vec<_> = self
            .requests
            .iter()
            .filter(|(_, request)| {
                *request.connection == *name && child.is_none_or(|child| request.waiting.contains(child))
            })
            .map(|(id, _)| *id)
            .collect();
        for id in cancelled {
            self.requests.remove(&id);
            self.done(id, Outcome::Cancelled);
        }
        let pairs: Vec<_> = self
            .children
            .iter()
            .filter(|(_, sa)| *sa.connection == *name && child.is_none_or(|child| *sa.child == *child))
            .map(|(pair, _)| *pair)
            .collect();
        for pair in pairs {
            self.delete_child(now, pair, reason);
        }
        if child.is_none() {
            let ids: Vec<SaId> =
                self.sas.iter().filter(|(_, sa)| *sa.name == *name).map(|(id, _)| *id).collect();
            for id in ids {
                self.delete_ike(now, id, reason.clone());
            }
        }
    }

    /// A child stands, or has failed: the commands that wait for it are told.
    pub(super) fn settle_request(&mut self, connection: &str, child: &str, failure: Option<Diagnosis>) {
        let mut ended = Vec::new();
        for (id, request) in &mut self.requests {
            if *request.connection == *connection && request.waiting.remove(child) {
                request.failure = request.failure.take().or_else(|| failure.clone());
                if request.waiting.is_empty() {
                    ended.push(*id);
                }
            }
        }
        for id in ended {
            if let Some(request) = self.requests.remove(&id) {
                let outcome = match request.failure {
                    None => Outcome::Done,
                    Some(diagnosis) => Outcome::Failed(Box::new(diagnosis)),
                };
                self.done(id, outcome);
            }
        }
    }

    /// Takes up a new configuration: what is gone is deleted, a changed child is negotiated anew, the rest stays.
    /// Credentials and phase 1 proposals apply from the next authentication on.
    fn reload(&mut self, now: Now, config: Arc<Config>) -> CommandResult {
        let id = self.request();
        if let Err(error) = check_algorithms(&config, &self.core.provider) {
            let diagnosis = Diagnosis {
                code: crate::diagnosis::Code::Local,
                sentence: error.to_string(),
                fix: "nothing was changed".into(),
            };
            return Ok(self.done(id, Outcome::Failed(Box::new(diagnosis))));
        }
        let old = std::mem::replace(&mut self.core.config, config);
        let config = Arc::clone(&self.core.config);
        self.recheck_half_open(now);
        for before in old.connections() {
            let Some(after) = config.connection(&before.name) else {
                self.take_down(now, &before.name, None, &DownReason::Reconfigured);
                continue;
            };
            for sa in self.sas.values_mut().filter(|sa| *sa.name == *after.name) {
                sa.connection = Arc::clone(after);
            }
            for child in &before.children {
                let now_is = after.child(&child.name);
                if now_is.is_some_and(|now_is| is_same(child, now_is)) {
                    continue;
                }
                let stood = self.is_covered(&before.name, &child.name);
                self.take_down(now, &before.name, Some(&child.name), &DownReason::Reconfigured);
                if let Some(child) = now_is.filter(|_| stood)
                    && (callable(after).is_ok() || self.active_sa(&after.name).is_some())
                {
                    self.want(now, after, child.clone(), Vec::new(), None);
                }
            }
        }
        self.start_immediate(now);
        Ok(self.done(id, Outcome::Done))
    }
}

impl Ike {
    /// Whoever is calling now may be only who the configuration in force knows: at its address, with the key and the suite
    /// that the negotiation runs with.
    fn recheck_half_open(&mut self, now: Now) {
        let config = Arc::clone(&self.core.config);
        let mut gone = Vec::new();
        for (id, sa) in &mut self.sas {
            let Some(suite) = sa.phase1.agreed().map(|agreed| agreed.suite) else { continue };
            if sa.role == Role::Initiator || matches!(sa.phase1, Phase1::Active(_)) {
                continue;
            }
            let mut candidates = pad::candidates(&config, sa.path.local.ip(), sa.source);
            candidates.retain(|it| it.proposals.contains(&suite) && it.psk.is_same(&sa.connection.psk));
            match candidates.first() {
                Some(first) => {
                    sa.name = first.name.as_str().into();
                    sa.connection = Arc::clone(first);
                    sa.candidates = candidates;
                }
                None => gone.push(*id),
            }
        }
        for id in gone {
            self.remove_ike(now, id, DownReason::Reconfigured);
        }
    }
}

/// Whether the SAs of a child are as good as ever.
fn is_same(before: &Child, after: &Child) -> bool {
    before.template == after.template
        && before.selector == after.selector
        && before.mode == after.mode
        && before.proposals == after.proposals
        && before.lifetime == after.lifetime
}
