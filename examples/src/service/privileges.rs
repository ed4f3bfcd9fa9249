//! What the process may do once it has started.

use caps::errors::CapsError;
use caps::{CapSet, Capability, CapsHashSet};

/// Marks, routes and the device; raw ESP; ports below 1024. All can be needed after the start, by a reload.
const KEPT: [Capability; 3] =
    [Capability::CAP_NET_ADMIN, Capability::CAP_NET_RAW, Capability::CAP_NET_BIND_SERVICE];

/// What the program `nft` needs, which is executed for reloads and to read counters.
const HANDED_ON: Capability = Capability::CAP_NET_ADMIN;

/// Gives up every other capability, for this thread and those that it starts from now on, and for good.
///
/// # Errors
/// What the system says. A process that has fewer to begin with is no error.
pub(super) fn drop_others() -> Result<(), CapsError> {
    let kept: CapsHashSet = KEPT.into_iter().collect();
    // Only a process that may change the bounding set can be asked to; it matters for programs that it executes.
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP)? {
        for capability in caps::read(None, CapSet::Bounding)?.difference(&kept) {
            caps::drop(None, CapSet::Bounding, *capability)?;
        }
    }
    let ours: CapsHashSet = caps::read(None, CapSet::Permitted)?.intersection(&kept).copied().collect();
    let handed_on: CapsHashSet = ours.iter().copied().filter(|capability| *capability == HANDED_ON).collect();
    caps::set(None, CapSet::Ambient, &CapsHashSet::new())?;
    caps::set(None, CapSet::Inheritable, &handed_on)?;
    caps::set(None, CapSet::Ambient, &handed_on)?;
    caps::set(None, CapSet::Effective, &ours)?;
    caps::set(None, CapSet::Permitted, &ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_kept_ones_is_left_and_a_second_time_is_no_error() {
        // Capabilities belong to a thread: this one ends with the test.
        std::thread::spawn(|| {
            for _ in 0..2 {
                drop_others().unwrap();
                for set in [CapSet::Effective, CapSet::Permitted] {
                    let left = caps::read(None, set).unwrap();
                    assert!(left.iter().all(|capability| KEPT.contains(capability)), "{left:?}");
                }
                for set in [CapSet::Inheritable, CapSet::Ambient] {
                    let left = caps::read(None, set).unwrap();
                    assert!(left.iter().all(|capability| *capability == HANDED_ON), "{left:?}");
                }
            }
        })
        .join()
        .unwrap();
    }
}
