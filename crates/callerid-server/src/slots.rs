//! Which connections are served: so many at a time, and so many of one address. A few more are accepted beyond either,
//! for the probes alone, so that whoever watches over the server hears from it when it is busy.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::client::{TrustedProxies, network};
use crate::exchange::too_many;
use crate::host::Limits;
use crate::metrics::METRICS;
use crate::probes;

/// Connections beyond all that are allowed: for as long as it takes to see what they ask for.
const RESERVE: usize = 32;
/// Of those, connections of an address that has as many as it may.
const RESERVE_OF_ADDRESS: usize = 4;
/// How long they have for that.
const RESERVE_TIMEOUT: Duration = Duration::from_secs(2);
/// Connections that have asked for something else than a probe and wait until another ends.
const WAITING: usize = 32;
/// How long they wait.
const PATIENCE: Duration = Duration::from_secs(10);
/// When to try again for whoever cannot be served.
const RETRY_SECONDS: u64 = 1;

const OF_ALL: &str = "TooManyConnections";
const OF_ADDRESS: &str = "TooManyConnectionsOfAddress";

/// Gives connections their slots.
pub(crate) struct Slots {
    limits: Limits,
    /// Their connections are those of many clients.
    proxies: TrustedProxies,
    pools: Arc<Pools>,
    /// As many more owners as the address has connections.
    addresses: HashMap<IpAddr, Arc<()>>,
}

struct Pools {
    free: Arc<Semaphore>,
    reserve: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// One connection's, until it ends.
pub(crate) struct Slot {
    pub(crate) limits: Limits,
    /// `None`: it serves whatever is asked for. Else the limit that it is beyond.
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

    /// A slot for a connection from that address; `None` where it is to be closed. Where all are taken, it waits for one.
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
            tracing::warn!(limit, %address, "a connection beyond those that are allowed");
        }
        let (pools, permit) = (Arc::clone(&self.pools), Mutex::new(permit));
        Some(Slot { limits: self.limits, beyond, pools, permit, _address: held })
    }
}

impl Slot {
    /// Whether it serves more than one request.
    pub(crate) fn is_kept_alive(&self) -> bool {
        self.beyond.is_none()
    }

    /// How long a request's head may take.
    pub(crate) fn head_timeout(&self) -> Duration {
        match self.beyond {
            None => self.limits.timeout,
            Some(_) => self.limits.timeout.min(RESERVE_TIMEOUT),
        }
    }

    /// Admits a request for this path, or returns the response that rejects it. A probe is admitted at once, another
    /// request once there is a slot, unless that takes too long.
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

    /// Takes the place of a connection that ends. What it held of the reserve is free meanwhile.
    async fn wait(&self) -> Option<()> {
        let Pools { free, waiting, .. } = &*self.pools;
        self.hold(Arc::clone(waiting).try_acquire_owned().ok()?);
        let permit = timeout(PATIENCE, Arc::clone(free).acquire_owned()).await;
        self.hold(permit.ok()?.ok()?);
        Some(())
    }

    fn hold(&self, permit: OwnedSemaphorePermit) {
        *self.permit.lock().unwrap_or_else(PoisonError::into_inner) = permit;
    }
}
