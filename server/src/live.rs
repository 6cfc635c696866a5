//! Tells those who watch a plant that something changed there.
//!
//! Any number of processes may write to one database, so it is the database that is asked: once a second by one
//! task for each plant, and only while somebody watches.

use crate::{Error, Server};
use carboy_protocol::PlantId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// How often a watched plant is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The plants that are watched in this process.
#[derive(Debug, Default)]
pub(crate) struct Live {
    plants: Mutex<HashMap<PlantId, watch::Sender<u64>>>,
}

impl Live {
    /// A thread that panicked has left nothing half done in it.
    fn plants(&self) -> MutexGuard<'_, HashMap<PlantId, watch::Sender<u64>>> {
        self.plants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many plants are watched.
    #[cfg(test)]
    pub(crate) fn watched(&self) -> usize {
        self.plants().len()
    }
}

impl Server {
    /// The number of the plant's last change, now and whenever it is another one; 0 until it is known.
    pub(crate) fn watch(self: &Arc<Self>, plant: PlantId) -> watch::Receiver<u64> {
        let mut plants = self.live().plants();
        let mut receiver = match plants.get(&plant) {
            Some(sender) => sender.subscribe(),
            None => {
                let (sender, receiver) = watch::channel(0);
                plants.insert(plant, sender.clone());
                tokio::spawn(look(self.clone(), plant, sender));
                receiver
            }
        };
        receiver.mark_changed();
        receiver
    }
}

/// Looks at the plant until nobody watches it any more.
async fn look(server: Arc<Server>, plant: PlantId, sender: watch::Sender<u64>) {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = server.shutdown_token().cancelled() => return,
        }
        {
            let mut plants = server.live().plants();
            // Under the lock, so that nobody begins to watch in between.
            if sender.receiver_count() == 0 {
                plants.remove(&plant);
                return;
            }
        }
        match changes(&server, plant).await {
            Ok(changes) => {
                sender.send_if_modified(|last| std::mem::replace(last, changes) != changes);
            }
            // The next look may succeed; those who watch only see it later.
            Err(error) => tracing::warn!(%plant, %error, "cannot tell what changed"),
        }
    }
}

async fn changes(server: &Arc<Server>, plant: PlantId) -> Result<u64, Error> {
    crate::http::blocking(server.clone(), move |server| server.store().read(|tx| tx.changes(plant))).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use carboy_protocol::Field;

    fn world() -> (tempfile::TempDir, Arc<Server>, crate::store::Account) {
        let folder = tempfile::tempdir().unwrap();
        let server = Arc::new(Server::open(&folder.path().join("carboy.db")).unwrap());
        let plant = server.create_plant("Maji", "KES".parse().unwrap()).unwrap();
        let manager = server.create_owner(plant, "Grace", "grace@example.com", "clean water").unwrap();
        (folder, server, manager)
    }

    #[tokio::test(start_paused = true)]
    async fn who_watches_is_told_of_a_change_and_one_task_looks_for_all() {
        let (_folder, server, manager) = world();
        let add_customer = || server.add_customer(&manager, [(Field::Name, "Kiosk".to_owned())].into());
        add_customer().unwrap();
        let (mut one, mut other) = (server.watch(manager.plant), server.watch(manager.plant));
        assert_eq!(server.live().watched(), 1);
        let before = *one.wait_for(|&changes| changes > 0).await.unwrap();
        other.borrow_and_update();
        add_customer().unwrap();
        for receiver in [&mut one, &mut other] {
            receiver.changed().await.unwrap();
            assert!(*receiver.borrow() > before);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_looks_where_nobody_watches() {
        let (_folder, server, manager) = world();
        drop(server.watch(manager.plant));
        assert_eq!(server.live().watched(), 1);
        while server.live().watched() > 0 {
            tokio::time::sleep(LOOK).await;
        }
    }
}
