//! How many files the process may hold open: every connection is one.

use atg_models::limits;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Files beside the connections: databases, artifacts, calls to Azure, the log.
const RESERVED_FILES: u64 = 1_000;

/// Raises the soft limit as far as the hard one allows and is of use. Answers how many connections it leaves room for.
pub(crate) fn raise_limit() -> usize {
    let most = u64::try_from(limits::CONNECTIONS_MAX).unwrap_or(u64::MAX);
    let wanted = most.saturating_add(RESERVED_FILES);
    let (soft, hard) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok(known) => known,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files cannot be read");
            return limits::CONNECTIONS_MAX;
        }
    };
    let raised = wanted.min(hard).max(soft);
    let effective = match setrlimit(Resource::RLIMIT_NOFILE, raised, hard) {
        Ok(()) => raised,
        Err(error) => {
            tracing::warn!(%error, soft, "the limit of open files cannot be raised");
            soft
        }
    };
    let connections = connections(effective);
    tracing::info!(open_files = effective, connections, "limits");
    connections
}

/// A quarter at least, so that a small limit still leaves a server that answers.
fn connections(files: u64) -> usize {
    let room = files.saturating_sub(RESERVED_FILES).max(files / 4).max(1);
    usize::try_from(room).map_or(limits::CONNECTIONS_MAX, |room| room.min(limits::CONNECTIONS_MAX))
}

#[cfg(test)]
mod tests {
    use super::{connections, raise_limit};

    #[test]
    fn connections_leave_room_for_files() {
        assert_eq!([0, 1_024, 26_000, u64::MAX].map(connections), [1, 256, 25_000, 25_000]);
    }

    #[test]
    fn the_limit_is_not_lowered() {
        let soft = || {
            nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE)
                .unwrap()
                .0
        };
        let before = soft();
        assert!(raise_limit() > 0);
        assert!(soft() >= before);
    }
}
