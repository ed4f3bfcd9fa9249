//! Negotiations that packets wait for, and hold-downs of those that failed.

use std::time::Instant;

use crate::drop::DropReason;
use crate::event::SadEvent;
use crate::flow::{Direction, Flow};
use crate::ring::Ring;
use crate::selector::Selector;
use crate::spd::{Action, Policy, PolicyId, Spd, TemplateId};
use crate::verdict::AcquireId;
use crate::worker::Decision;

/// What a negotiation is wanted for: packets that want the same wait for one.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Want {
    policy: PolicyId,
    template: TemplateId,
    proposal: Selector,
}

struct Pending {
    id: AcquireId,
    want: Want,
    /// The packet that asked first.
    flow: Flow,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Nothing of this template can be negotiated: the peer is the trouble.
    Template(TemplateId),
    /// This was refused.
    Want(Want),
}

/// The acquires of one worker.
pub(crate) struct Acquires {
    next_id: u64,
    /// At most this many pending and this many held.
    limit: usize,
    pending: Vec<Pending>,
    held: Vec<(Held, Instant)>,
}

impl Acquires {
    pub(crate) fn new(limit: usize) -> Self {
        Self { next_id: 0, limit, pending: Vec::with_capacity(limit), held: Vec::with_capacity(limit) }
    }

    /// What a packet that has no SA waits for. The first one for a policy and proposal puts an event into `events`; if
    /// there is no room the packet is dropped, so that the next one asks again.
    pub(crate) fn request(
        &mut self,
        now: Instant,
        policy: &Policy,
        template: TemplateId,
        flow: &Flow,
        events: &mut Ring<SadEvent>,
    ) -> Decision {
        match self.foresee(now, policy, template, flow, events) {
            Decision::Wait(id) if !self.is_pending(id) => {
                let proposal = policy.proposal(flow);
                let event = SadEvent::Acquire { id, policy: policy.id, template, flow: *flow, proposal };
                if !events.push(event) {
                    return Decision::Refuse(DropReason::AcquireLimit);
                }
                self.next_id += 1;
                let want = Want { policy: policy.id, template, proposal };
                self.pending.push(Pending { id, want, flow: *flow });
                Decision::Wait(id)
            }
            decided => decided,
        }
    }

    /// What [`request`](Self::request) would say.
    pub(crate) fn foresee(
        &self,
        now: Instant,
        policy: &Policy,
        template: TemplateId,
        flow: &Flow,
        events: &Ring<SadEvent>,
    ) -> Decision {
        let want = Want { policy: policy.id, template, proposal: policy.proposal(flow) };
        if self.is_held(&want, now) {
            Decision::Refuse(DropReason::NoSa)
        } else if let Some(pending) = self.pending.iter().find(|pending| pending.want == want) {
            Decision::Wait(pending.id)
        } else if self.pending.len() >= self.limit || events.is_full() {
            Decision::Refuse(DropReason::AcquireLimit)
        } else {
            Decision::Wait(AcquireId(self.next_id))
        }
    }

    /// Whether packets wait for this one.
    pub(crate) fn is_pending(&self, id: AcquireId) -> bool {
        self.pending.iter().any(|pending| pending.id == id)
    }

    fn is_held(&self, want: &Want, now: Instant) -> bool {
        self.held.iter().any(|(held, until)| {
            *until > now
                && match held {
                    Held::Template(template) => *template == want.template,
                    Held::Want(held) => held == want,
                }
        })
    }

    /// An SA of `template` carries `selector` now: what waited for it need not wait, what was held down is free.
    pub(crate) fn satisfied(&mut self, template: TemplateId, selector: &Selector) {
        self.pending.retain(|pending| {
            pending.want.template != template
                || !(selector.matches(&pending.flow, Direction::Outbound)
                    || selector.intersect(&pending.want.proposal).is_some())
        });
        self.held.retain(|(held, _)| match held {
            Held::Template(held) => *held != template,
            Held::Want(want) => want.template != template || selector.intersect(&want.proposal).is_none(),
        });
    }

    /// The negotiation for one acquire has failed.
    pub(crate) fn fail(&mut self, now: Instant, id: AcquireId, until: Instant) {
        let Some(index) = self.pending.iter().position(|pending| pending.id == id) else { return };
        let Pending { want, .. } = self.pending.swap_remove(index);
        self.hold(now, Held::Want(want), until);
    }

    /// Nothing of a template can be negotiated.
    pub(crate) fn fail_template(&mut self, now: Instant, template: TemplateId, until: Instant) {
        self.pending.retain(|pending| pending.want.template != template);
        self.hold(now, Held::Template(template), until);
    }

    fn hold(&mut self, now: Instant, held: Held, until: Instant) {
        self.held.retain(|(other, until)| *other != held && *until > now);
        if self.held.len() >= self.limit {
            // The one that ends first gives way: its traffic may ask again a little early.
            let first = self.held.iter().enumerate().min_by_key(|(_, (_, until))| *until);
            if let Some((index, _)) = first {
                self.held.swap_remove(index);
            }
        }
        self.held.push((held, until));
    }

    /// Forgets what waited for policies that are not in `spd`, or not for the same template.
    pub(crate) fn keep_policies_of(&mut self, spd: &Spd) {
        self.pending.retain(|pending| {
            spd.policy(pending.want.policy)
                .is_some_and(|policy| policy.action == Action::Protect(pending.want.template))
        });
    }

    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }
}
