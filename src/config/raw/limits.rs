//! `[limits]`.

use schemars::JsonSchema;
use serde::Deserialize;

/// How much comes in at a time, and from where on no more is taken.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// The most connections at each door.
    #[schemars(range(min = 1, max = 65536))]
    pub(crate) connections: usize,
    /// The most bytes of request bodies in memory at the same time; at least `server.max_body_bytes`.
    #[schemars(range(min = 1024, max = 1_099_511_627_776_u64))]
    pub(crate) body_bytes_at_once: usize,
    /// How many requests a second each client may send in the long run.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) requests_per_second: u32,
    /// How many requests a client may send at once after a pause.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) burst: u32,
    /// How many access tokens a second a client may ask for in the long run.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) token_requests_per_second: u32,
    /// How many access tokens a client may ask for at once after a pause.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) token_burst: u32,
    /// The most resources that are read from a partner's server for one Task.
    #[schemars(range(min = 1, max = 500))]
    pub(crate) gather_resources: usize,
    /// How long reading them may take, in seconds.
    #[schemars(range(min = 1, max = 300))]
    pub(crate) gather_s: u64,
    /// How many deliveries may wait before no more referrals are taken.
    #[schemars(range(min = 1))]
    pub(crate) undelivered: u64,
    /// How old the oldest delivery may be before no more referrals are taken, in seconds.
    #[schemars(range(min = 1))]
    pub(crate) oldest_undelivered_s: u64,
    /// How many deliveries may wait however old they are.
    #[schemars(range(min = 0))]
    pub(crate) old_depth: u64,
    /// How long recording may take, in seconds.
    #[schemars(range(min = 1, max = 3600))]
    pub(crate) record_wait_s: u64,
    /// The largest write-ahead log of the ledger, in bytes.
    #[schemars(range(min = 1))]
    pub(crate) wal_bytes: u64,
    /// The least free space where the ledger stands, in bytes.
    #[schemars(range(min = 0))]
    pub(crate) free_disk_bytes: u64,
    /// The least free space, in parts of a hundred of the file system. The larger of the two counts.
    #[schemars(range(min = 0, max = 50))]
    pub(crate) free_disk_percent: u64,
    /// The size of the ballast file beside the ledger, in bytes; 0: none.
    #[schemars(range(min = 0, max = 1_073_741_824))]
    pub(crate) ballast_bytes: u64,
    /// How often we look how much waits and how much room there is, in seconds.
    #[schemars(range(min = 1, max = 300))]
    pub(crate) look_every_s: u64,
}
