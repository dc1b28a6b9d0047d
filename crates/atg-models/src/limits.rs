//! Every bound of the product: one line a limit, with its unit and its reason.
//!
//! Sizes, counts and times that the contract, the engine, the stores and the clients share. A
//! value that a configuration may change stands here as its default.

use time::Duration;

// ── Requests ────────────────────────────────────────────────────────────────────────────────

/// The largest request body. The largest legitimate one is a tenant specification of 1 MiB.
pub const BODY_MAX_BYTES: usize = 1024 * 1024;
/// The largest `markdown_spec`; its JSON encoding must still fit a body, which decides first.
pub const MARKDOWN_SPEC_MAX_BYTES: usize = 1024 * 1024;
/// The longest `tenant_id` where any text is allowed.
pub const TENANT_TEXT_MAX_BYTES: usize = 256;
/// The longest `question`, in characters.
pub const QUESTION_MAX_CHARS: usize = 4_000;
/// The longest free text of another field (domain, suffix, version, location).
pub const SHORT_TEXT_MAX_BYTES: usize = 256;
/// The longest file name asked for: what common file systems take.
pub const FILE_NAME_MAX_BYTES: usize = 255;
/// The most entries in one comma-separated filter: keeps a Resource Graph query below its size limit.
pub const FILTER_ENTRIES_MAX: usize = 1_000;
/// The most regular expressions in one filter: each is compiled when the request is read.
pub const FILTER_REGEXES_MAX: usize = 16;
/// The largest compiled form of one of them.
pub const FILTER_REGEX_MAX_BYTES: usize = 64 * 1024;
/// The longest `X-Request-ID` that is echoed.
pub const REQUEST_ID_MAX_BYTES: usize = 128;
/// The longest `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_MAX_BYTES: usize = 255;
/// How long an idempotency key is remembered.
pub const IDEMPOTENCY_TTL: Duration = Duration::hours(24);
/// The longest `Prefer: wait=N`.
pub const PREFER_WAIT_MAX: Duration = Duration::seconds(3_600);
/// How long a request's head and body may take to arrive, each.
pub const SLOW_REQUEST_TIMEOUT: Duration = Duration::seconds(60);
/// How long a request may be held before this server itself would cut it.
pub const RESPONSE_TIMEOUT: Duration = Duration::minutes(60);
/// How long a cancelling request waits for the job to stop before it answers 202.
pub const CANCEL_WAIT: Duration = Duration::seconds(2);
/// After a job has stopped, before its cancellation is answered: what had left for Azure by then has arrived, so
/// nothing arrives after the answer.
pub const ON_THE_WIRE: Duration = Duration::milliseconds(100);
/// How often a client is asked to look again (`Retry-After` of a 202).
pub const POLL_RETRY_AFTER: Duration = Duration::seconds(2);
/// How long a health request may take, whatever the store does.
pub const HEALTH_TIMEOUT: Duration = Duration::seconds(1);
/// How long the store may take to answer within that.
pub const STORE_HEALTH_TIMEOUT: Duration = Duration::milliseconds(500);
/// How many connections are held in all; the soft file limit is raised for them.
pub const CONNECTIONS_MAX: usize = 25_000;

// ── Pages ───────────────────────────────────────────────────────────────────────────────────

/// How many operations a list shows when it is not told.
pub const LIST_LIMIT_DEFAULT: u32 = 50;
/// The most operations a list shows.
pub const LIST_LIMIT_MAX: u32 = 200;
/// How far into a list one may start: skipping rows costs as much as reading them.
pub const LIST_OFFSET_MAX: u32 = 10_000;
/// How many events a page holds when it is not told.
pub const EVENTS_LIMIT_DEFAULT: u32 = 100;
/// The most events a page holds.
pub const EVENTS_LIMIT_MAX: u32 = 1_000;

// ── Rates, per key ──────────────────────────────────────────────────────────────────────────

/// Scans an hour.
pub const SCANS_PER_HOUR_DEFAULT: u32 = 10;
/// How long a scan counts against that limit; no job is removed earlier.
pub const SCANS_WINDOW: Duration = Duration::hours(1);
/// Requests a minute.
pub const REQUESTS_PER_MINUTE_DEFAULT: u32 = 600;
/// How long a request counts against that limit.
pub const REQUESTS_WINDOW: Duration = Duration::minutes(1);
/// How long a server may let in what it was granted where several count together; a grant counts that much longer.
pub const REQUEST_GRANT_LIFE: Duration = Duration::seconds(1);
/// The highest rate that may be configured: as good as none.
pub const RATE_LIMIT_MAX: u32 = 1_000_000;
/// Jobs that are queued or run.
pub const JOBS_PER_KEY_DEFAULT: u32 = 10;
/// Open sockets, event streams and requests that wait: ten jobs watched from a few windows each.
pub const SOCKETS_PER_KEY_MAX: u32 = 100;

// ── Stored keys ─────────────────────────────────────────────────────────────────────────────

/// The longest name of a key.
pub const KEY_NAME_MAX_CHARS: usize = 64;
/// The most tenants that one key may be for: each is a parameter of the queries that list what it sees.
pub const KEY_TENANTS_MAX: usize = 1_000;
/// Stored keys, dead ones included: a server holds all of them in memory.
pub const STORED_KEYS_MAX: u32 = 10_000;
/// How long a revoked or expired key is still listed: longer than the jobs that name its prefix.
pub const DEAD_KEY_TTL: Duration = Duration::days(90);
/// How far ahead the end of a key may lie.
pub const KEY_LIFETIME_MAX: Duration = Duration::days(3_650);
/// How long a rotated key goes on beside its successor.
pub const KEY_OVERLAP_DEFAULT: Duration = Duration::hours(24);
/// The longest such time: an old key that outlives a month was not rotated.
pub const KEY_OVERLAP_MAX: Duration = Duration::days(31);
/// How often a server looks for changed keys: a quarter of [`REVOKED_CLOSE_WITHIN`].
pub const KEYS_LOOK: Duration = Duration::milliseconds(250);
/// How long stored keys count without being looked at, when their store does not answer.
pub const KEYS_UNSEEN_MAX: Duration = Duration::seconds(10);
/// How often a server writes down which keys were used.
pub const KEY_USES_WRITTEN: Duration = Duration::seconds(60);

// ── Jobs ────────────────────────────────────────────────────────────────────────────────────

/// Running jobs per process.
pub const CONCURRENT_JOBS_DEFAULT: u32 = 3;
/// The most that may be configured.
pub const CONCURRENT_JOBS_MAX: u32 = 64;
/// Jobs that wait; a submission beyond is answered 429.
pub const QUEUE_MAX_JOBS: u64 = 1_000;
/// How many waiting jobs the admission looks at for one claim; more than the queue holds is of no use.
pub const ADMISSION_WINDOW_JOBS: u32 = 1_000;
/// How long a claim or a renewal holds.
pub const LEASE: Duration = Duration::seconds(30);
/// How often a lease is renewed: two renewals may be lost.
pub const LEASE_RENEWAL: Duration = Duration::seconds(10);
/// How often a job is tried.
pub const ATTEMPTS_MAX: u32 = 5;
/// The wait after the first retryable failure; it doubles with each further one.
pub const BACKOFF_BASE: Duration = Duration::seconds(2);
/// The longest such wait.
pub const BACKOFF_MAX: Duration = Duration::minutes(5);
/// How long one attempt may take.
pub const ATTEMPT_DEADLINE: Duration = Duration::minutes(60);
/// How long the engine sleeps when nothing wakes it.
pub const ENGINE_TICK: Duration = Duration::seconds(1);
/// How soon an operation sees that it is to stop.
pub const CANCEL_OBSERVED_WITHIN: Duration = Duration::seconds(1);
/// How long operations have at shutdown to keep a checkpoint and yield.
pub const SHUTDOWN_GRACE: Duration = Duration::seconds(20);
/// The largest checkpoint; what is larger belongs into the graph.
pub const CHECKPOINT_MAX_BYTES: usize = 64 * 1024;
/// The largest result: it is read whole by every client.
pub const RESULT_MAX_BYTES: usize = 1024 * 1024;
/// How many of a job's events are kept; readers of older ones get a gap.
pub const EVENT_LOG_TAIL_ROWS: u64 = 2_000;
/// The longest log message and error message of a job; longer ones are cut.
pub const MESSAGE_MAX_BYTES: usize = 4 * 1024;
/// How many log lines wait to be written before further ones are dropped and counted.
pub const LOG_QUEUE_LINES: usize = 256;
/// Progress writes a second and job.
pub const PROGRESS_WRITES_PER_SECOND: u32 = 4;
/// The least time between two progress writes of a job: [`PROGRESS_WRITES_PER_SECOND`] as a distance.
pub const PROGRESS_INTERVAL: Duration = Duration::milliseconds(250);
/// How long finished jobs and their logs are kept.
pub const JOB_TTL_DEFAULT: Duration = Duration::days(30);
/// How often what is over its time is looked for.
pub const SWEEPER_INTERVAL: Duration = Duration::minutes(10);
/// How many jobs one purge removes.
pub const PURGE_BATCH_JOBS: u32 = 100;
/// How often a replica asks a shared store for news of the jobs that are watched on it.
pub const REPLICA_POLL: Duration = Duration::milliseconds(500);

// ── Artifacts ───────────────────────────────────────────────────────────────────────────────

/// How long an artifact is kept.
pub const ARTIFACT_TTL_DEFAULT: Duration = Duration::days(7);
/// The largest artifact: code of 100,000 resources is about 200 MiB unpacked, a tenth of it zipped.
pub const ARTIFACT_MAX_BYTES: u64 = 1024 * 1024 * 1024;
/// The most files in one.
pub const ARTIFACT_FILES_MAX: usize = 10_000;
/// How much of an artifact is in memory while it is sent.
pub const ARTIFACT_CHUNK_BYTES: usize = 64 * 1024;

// ── WebSocket and event streams ─────────────────────────────────────────────────────────────

/// How often the server pings.
pub const SOCKET_PING: Duration = Duration::seconds(15);
/// A socket that was silent for this long is closed: three pings without an answer.
pub const SOCKET_IDLE: Duration = Duration::seconds(45);
/// A connection whose other side takes nothing for so long is cut: it holds what was on its way.
pub const STALLED_CONNECTION: Duration = Duration::minutes(2);
/// The largest incoming frame; what comes in is ignored, so it is small or hostile.
pub const SOCKET_INCOMING_MAX_BYTES: usize = 4 * 1024;
/// How long a ticket for a socket holds: the time between a click and the handshake.
pub const SOCKET_TICKET_TTL: Duration = Duration::seconds(30);
/// Tickets that wait to be used, in all.
pub const SOCKET_TICKETS_MAX: usize = 10_000;
/// Tickets of one key that wait to be used, so that one key does not use up those of all.
pub const SOCKET_TICKETS_PER_KEY_MAX: usize = 1_000;
/// How soon a revoked key's sockets are closed.
pub const REVOKED_CLOSE_WITHIN: Duration = Duration::seconds(1);

// ── Scan request ────────────────────────────────────────────────────────────────────────────

/// `max_llm_threads`: accepted and recorded.
pub const LLM_THREADS_DEFAULT: u32 = 5;
/// The most of them.
pub const LLM_THREADS_MAX: u32 = 20;
/// `max_build_threads`: accepted and recorded.
pub const BUILD_THREADS_DEFAULT: u32 = 20;
/// The most of them.
pub const BUILD_THREADS_MAX: u32 = 50;
/// `max_retries`: tries of one request beyond the first.
pub const SCAN_RETRIES_DEFAULT: u32 = 3;
/// The most of them.
pub const SCAN_RETRIES_MAX: u32 = 10;
/// `max_concurrency`: requests in flight.
pub const SCAN_CONCURRENCY_DEFAULT: u32 = 100;
/// The most of them.
pub const SCAN_CONCURRENCY_MAX: u32 = 200;

// ── Graph ───────────────────────────────────────────────────────────────────────────────────

/// The largest body that is stored whole.
pub const BODY_STORED_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Observations in one transaction: a page of Resource Graph.
pub const GRAPH_BATCH_NODES: usize = 1_000;
/// Nodes that one sweep transaction removes, so that readers and progress do not wait behind it.
pub const SWEEP_CHUNK_NODES: u32 = 1_000;
/// Nodes that one removal transaction takes when a tenant is removed.
pub const DELETE_CHUNK_NODES: u32 = 1_000;
/// Nodes and edges that a snapshot reads at a time.
pub const SNAPSHOT_PAGE_ROWS: u32 = 1_000;
/// Nodes that a list shows at most.
pub const NODE_PAGE_MAX_ROWS: u32 = 1_000;
/// Partitions that one ledger entry may have: its row is rewritten with each page.
pub const LEDGER_PARTITIONS_MAX: usize = 1_000;
/// Pages of one partition, as an end of a cursor that never ends.
pub const LEDGER_PAGES_MAX: u64 = 100_000;
/// The deepest walk of a neighbourhood.
pub const NEIGHBOURHOOD_DEPTH_MAX: u32 = 6;
/// The most edges that a walk visits.
pub const WALK_BUDGET_EDGES: u32 = 50_000;
/// A small value kept for a tenant's reader between scans.
pub const TENANT_CACHE_MAX_BYTES: usize = 4 * 1024 * 1024;
/// How long a removed node is remembered.
pub const TOMBSTONE_TTL: Duration = Duration::days(90);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_hang_together_do() {
        assert!(LEASE_RENEWAL * 2 < LEASE, "two renewals may be lost");
        assert!(SOCKET_PING * 2 < SOCKET_IDLE, "two pings may be lost");
        assert_eq!(
            PROGRESS_INTERVAL * i32::try_from(PROGRESS_WRITES_PER_SECOND).unwrap(),
            Duration::SECOND
        );
        assert!(STORE_HEALTH_TIMEOUT < HEALTH_TIMEOUT);
        assert!(u64::from(EVENTS_LIMIT_MAX) <= EVENT_LOG_TAIL_ROWS);
        assert!(PREFER_WAIT_MAX <= RESPONSE_TIMEOUT);
        assert!(KEYS_LOOK * 2 < REVOKED_CLOSE_WITHIN);
        assert!(DEAD_KEY_TTL > JOB_TTL_DEFAULT);
        assert!(KEY_OVERLAP_DEFAULT <= KEY_OVERLAP_MAX);
    }
}
