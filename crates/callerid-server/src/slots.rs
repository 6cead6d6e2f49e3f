//! Connection limits, in total and per address. A few more connections are accepted beyond these
//! limits, only for probes, so that monitoring works when the server is busy.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::client::{TrustedProxies, network};
use crate::exchange::too_many;
use crate::host::Limits;
use crate::lock::lock;
use crate::metrics::METRICS;
use crate::probes;

/// Connections beyond the limits. They are only kept until their request is known.
const RESERVE: usize = 32;
/// Of those, the connections per address beyond its limit.
const RESERVE_OF_ADDRESS: usize = 4;
/// How long such a connection can take to send a request.
const RESERVE_TIMEOUT: Duration = Duration::from_secs(2);
/// Connections with a request other than a probe that can wait for a slot.
const WAITING: usize = 32;
/// How long they wait.
const PATIENCE: Duration = Duration::from_secs(10);
/// The `Retry-After` of rejected requests.
const RETRY_SECONDS: u64 = 1;

const OF_ALL: &str = "TooManyConnections";
const OF_ADDRESS: &str = "TooManyConnectionsOfAddress";

/// Assigns slots to connections.
pub(crate) struct Slots {
    limits: Limits,
    /// Their connections belong to many clients, so the limit per address does not apply.
    proxies: TrustedProxies,
    pools: Arc<Pools>,
    /// Counts the connections per address: each holds a reference.
    addresses: HashMap<IpAddr, Arc<()>>,
}

struct Pools {
    free: Arc<Semaphore>,
    reserve: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// The slot of one connection, until it ends.
pub(crate) struct Slot {
    pub(crate) limits: Limits,
    /// The limit that the connection exceeds, in which case it serves only probes. `None` if it
    /// exceeds none.
    beyond: Option<&'static str>,
    pools: Arc<Pools>,
    permit: Mutex<OwnedSemaphorePermit>,
    _address: Arc<()>,
}

impl Slots {
    pub(crate) fn new(limits: Limits, proxies: TrustedProxies) -> Self {
        let most = limits.connections.clamp(1, Semaphore::MAX_PERMITS);
        let [free, reserve, waiting] =
            [most, RESERVE, WAITING].map(|permits| Arc::new(Semaphore::new(permits)));
        let pools = Arc::new(Pools { free, reserve, waiting });
        Self { limits, proxies, pools, addresses: HashMap::new() }
    }

    /// Takes a slot for a connection from this address, and waits if all are taken. Returns `None`
    /// if the connection must be closed.
    pub(crate) async fn take(&mut self, address: IpAddr) -> Option<Slot> {
        self.addresses.retain(|_, held| Arc::strong_count(held) > 1);
        let mut held = Arc::default();
        let mut room = usize::MAX;
        if !self.proxies.contains(address) {
            let of_address = self.addresses.entry(network(address)).or_default();
            let most = self.limits.connections_per_address.saturating_add(RESERVE_OF_ADDRESS);
            room = most.saturating_sub(Arc::strong_count(of_address) - 1);
            held = Arc::clone(of_address);
        }
        let Pools { free, reserve, .. } = &*self.pools;
        let (free, reserve) = (Arc::clone(free), Arc::clone(reserve));
        let (permit, beyond) = if room > RESERVE_OF_ADDRESS {
            tokio::select! {
                biased;
                permit = free.acquire_owned() => (permit.ok()?, None),
                permit = reserve.acquire_owned() => (permit.ok()?, Some(OF_ALL)),
            }
        } else if room > 0
            && let Ok(permit) = reserve.try_acquire_owned()
        {
            (permit, Some(OF_ADDRESS))
        } else {
            METRICS.refused(OF_ADDRESS);
            return None;
        };
        if let Some(limit) = beyond {
            tracing::warn!(limit, %address, "a connection exceeds the limit");
        }
        let (pools, permit) = (Arc::clone(&self.pools), Mutex::new(permit));
        Some(Slot { limits: self.limits, beyond, pools, permit, _address: held })
    }
}

impl Slot {
    /// Whether the connection can be used for more than one request.
    pub(crate) fn is_kept_alive(&self) -> bool {
        self.beyond.is_none()
    }

    /// How long a request's head can take.
    pub(crate) fn head_timeout(&self) -> Duration {
        match self.beyond {
            None => self.limits.timeout,
            Some(_) => self.limits.timeout.min(RESERVE_TIMEOUT),
        }
    }

    /// Admits a request, or returns the response that rejects it. Admits a probe at once, and another
    /// request as soon as a slot is free, unless that takes too long.
    pub(crate) async fn reject(&self, path: &str) -> Option<Response> {
        match self.beyond {
            None => None,
            Some(_) if probes::is_probe(path) => None,
            Some(OF_ALL) if self.wait().await.is_some() => None,
            Some(limit) => {
                let detail = match limit {
                    OF_ADDRESS => "too many connections from this address",
                    _ => "too many connections",
                };
                Some(too_many(path, limit, detail, RETRY_SECONDS))
            }
        }
    }

    /// Waits for a free slot, and meanwhile releases the reserve's.
    async fn wait(&self) -> Option<()> {
        let Pools { free, waiting, .. } = &*self.pools;
        self.hold(Arc::clone(waiting).try_acquire_owned().ok()?);
        let permit = timeout(PATIENCE, Arc::clone(free).acquire_owned()).await;
        self.hold(permit.ok()?.ok()?);
        Some(())
    }

    fn hold(&self, permit: OwnedSemaphorePermit) {
        *lock(&self.permit) = permit;
    }
}
