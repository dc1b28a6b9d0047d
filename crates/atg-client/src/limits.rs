//! The bounds of the client.

use std::time::Duration;

/// Until a connection stands.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Until the answer to a request starts. The server answers each of them at once.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_mins(1);
/// Tries of a request after the first.
pub(crate) const RETRIES: usize = 4;
/// The first wait between tries; it doubles.
pub(crate) const RETRY_WAIT: Duration = Duration::from_millis(250);
/// The longest wait between tries, whatever `Retry-After` says.
pub(crate) const RETRY_WAIT_MAX: Duration = Duration::from_secs(30);
/// Tries to take up a broken stream again without a single frame in between: with the waits between
/// them about ten minutes, longer than a restart of the server takes.
pub(crate) const RESUMES: u32 = 30;
/// The first wait before a stream is taken up again; it doubles.
pub(crate) const RESUME_WAIT: Duration = Duration::from_millis(200);
/// The longest such wait.
pub(crate) const RESUME_WAIT_MAX: Duration = Duration::from_secs(20);
/// The server pings every 15 s: after this long without a word the connection is dead.
pub(crate) const STREAM_SILENCE: Duration = Duration::from_mins(1);
/// A JSON answer larger than this is refused.
pub(crate) const ANSWER_MAX_BYTES: usize = 64 * 1024 * 1024;
