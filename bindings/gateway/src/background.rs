//! What goes on without being asked: telling what changed elsewhere, recovery, and dropping what is old.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bayar::{ENGINE_ACCOUNT, Error};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::gateway::Gateway;
use crate::{metrics, tell};

/// How often the journal is looked at for what changed elsewhere.
const FOLLOW: Duration = Duration::from_secs(2);
/// How often it is written down how far that is.
const MARK: Duration = Duration::from_secs(60);
/// How often what is old is dropped.
const TIDY_MS: i64 = 24 * 3_600_000;
/// How long events are kept.
const EVENT_DAYS: u16 = 90;

/// Starts all of it; it ends when the gateway is to stop.
pub(crate) fn start(gateway: &Arc<Gateway>) {
    gateway.tasks.spawn(crate::deliver::run(Arc::clone(gateway)));
    gateway.tasks.spawn(follow(Arc::clone(gateway)));
    gateway.tasks.spawn(tidy(Arc::clone(gateway)));
    gateway.tasks.spawn(crate::mail::run(Arc::clone(gateway)));
    if gateway.settings.recover_seconds > 0 {
        gateway.tasks.spawn(recover(Arc::clone(gateway)));
    }
}

/// Runs `work` on a thread that may block, and says what went wrong.
async fn on_a_thread<T: Send + 'static>(
    gateway: &Arc<Gateway>,
    what: &'static str,
    work: impl FnOnce(&Gateway) -> Result<T, Error> + Send + 'static,
) -> Option<T> {
    let of = Arc::clone(gateway);
    match gateway.tasks.spawn_blocking(move || work(&of)).await {
        Ok(Ok(done)) => Some(done),
        Ok(Err(error)) => {
            tracing::error!("{what}: {error}");
            None
        }
        Err(error) => {
            tracing::error!("{what} broke off: {error}");
            None
        }
    }
}

/// Waits, and says whether to go on.
async fn pause(gateway: &Gateway, time: Duration) -> bool {
    timeout(time, gateway.stop.cancelled()).await.is_err()
}

async fn follow(gateway: Arc<Gateway>) {
    let begin = on_a_thread(&gateway, "following the journal", tell::Follower::open).await;
    let mut follower = begin.unwrap_or_default();
    let mut marked = Instant::now();
    loop {
        let keep = marked.elapsed() >= MARK;
        let done = on_a_thread(&gateway, "following the journal", move |gateway| {
            // What it has seen stays seen where the journal fails in between.
            let told = follower.follow(gateway);
            let kept = if keep { follower.keep(gateway) } else { Ok(()) };
            Ok((follower, told.and(kept)))
        });
        follower = match done.await {
            Some((follower, Ok(()))) => follower,
            Some((follower, Err(error))) => {
                tracing::error!("following the journal: {error}");
                follower
            }
            None => tell::Follower::default(),
        };
        if keep {
            marked = Instant::now();
        }
        if !pause(&gateway, FOLLOW).await {
            return;
        }
    }
}

/// Looks at payments whose end nobody heard, one after the other: each belongs to one instance at a time.
async fn recover(gateway: Arc<Gateway>) {
    let every = Duration::from_secs(gateway.settings.recover_seconds.into());
    loop {
        while !gateway.stop.is_cancelled() {
            let looked = on_a_thread(&gateway, "recovery", |gateway| {
                let report = gateway.engine.call(ENGINE_ACCOUNT, "recover", json!({"limit": 1}))?;
                heard(gateway, &report.result.data.unwrap_or_default())
            });
            if looked.await.unwrap_or_default() == 0 {
                break;
            }
        }
        if !pause(&gateway, every).await {
            return;
        }
    }
}

/// Tells what recovery learned, and gives how many it looked at.
fn heard(gateway: &Gateway, report: &Value) -> Result<u64, Error> {
    for result in ["settled", "waiting", "review", "failed"] {
        let count = report[result].as_u64().unwrap_or_default();
        gateway.metrics.recovered.get_or_create(&metrics::Result { result }).inc_by(count);
    }
    for looked in report["intents"].as_array().into_iter().flatten() {
        let id = looked["intent"].as_str().unwrap_or_default();
        tracing::info!(intent = id, "recovery: {} -> {}", looked["from"], looked["to"]);
        tell::of_intent(gateway, id)?;
    }
    Ok(report["looked"].as_u64().unwrap_or_default())
}

async fn tidy(gateway: Arc<Gateway>) {
    loop {
        on_a_thread(&gateway, "dropping what is old", |gateway| {
            if gateway.store.take_turn("tidy", TIDY_MS)? {
                let dropped = gateway.store.drop_events(EVENT_DAYS)?;
                tracing::info!("{dropped} events older than {EVENT_DAYS} days were dropped");
            }
            Ok(())
        })
        .await;
        if !pause(&gateway, Duration::from_secs(3600)).await {
            return;
        }
    }
}
