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
/// The longest wait between tries; a longer `Retry-After` is an error, which says when.
pub(crate) const RETRY_WAIT_MAX: Duration = Duration::from_secs(30);
/// Tries to take up a broken stream again without a single frame in between: with the waits between
/// them about ten minutes, longer than a restart of the server takes.
pub(crate) const RESUMES: u32 = 30;
/// The first wait before a stream is taken up again; it doubles.
pub(crate) const RESUME_WAIT: Duration = Duration::from_millis(200);
/// The longest such wait.
pub(crate) const RESUME_WAIT_MAX: Duration = Duration::from_secs(20);
/// Connections in a row that were answered without a sign of life, before another way is tried.
pub(crate) const MUTE_MAX: u32 = 3;
/// How long a page of events waits for news: within [`READ_TIMEOUT`], and within what proxies allow.
pub(crate) const POLL_WAIT: Duration = Duration::from_secs(25);
/// Between two looks at a server that does not wait.
pub(crate) const POLL_PAUSE: Duration = Duration::from_secs(2);
/// Events of a page.
pub(crate) const PAGE_EVENTS: u32 = 500;
/// The largest event: a result of 1 MiB, as JSON in JSON, with room.
pub(crate) const EVENT_MAX_BYTES: usize = 8 * 1024 * 1024;
/// The server pings every 15 s: after this long without a word the connection is dead.
pub(crate) const STREAM_SILENCE: Duration = Duration::from_mins(1);
/// A JSON answer larger than this is refused.
pub(crate) const ANSWER_MAX_BYTES: usize = 64 * 1024 * 1024;
/// Tries of a download in a row that brought no byte: with the waits between them about ten minutes.
pub(crate) const DOWNLOAD_TRIES: u32 = 30;
/// Cuts of one download in all, however much came in between.
pub(crate) const DOWNLOAD_CUTS_MAX: u32 = 1_000;
/// What is read of a file at once.
pub(crate) const FILE_PIECE_BYTES: usize = 64 * 1024;
/// Beyond the time that a request asks to wait, until it is given up.
pub(crate) const WAIT_SLACK: Duration = Duration::from_secs(30);
