//! What is on the device, found by the address of what it was made from. An entry keeps its source
//! alive, so an address is never taken by something else while the entry exists.

use std::collections::BTreeMap;

/// Entries by key, with their size and when they were last drawn.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    entries: BTreeMap<K, Entry<V>>,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    n_bytes: u64,
    last_used: u64,
}

impl<K: Ord + Clone, V> Cache<K, V> {
    pub(super) fn new() -> Self {
        Self { entries: BTreeMap::new() }
    }

    /// The entry of this key, marked as used now.
    pub(super) fn find(&mut self, key: &K, now: u64) -> Option<&mut V> {
        let entry = self.entries.get_mut(key)?;
        entry.last_used = now;
        Some(&mut entry.value)
    }

    pub(super) fn insert(&mut self, key: K, value: V, n_bytes: u64, now: u64) {
        self.entries.insert(key, Entry { value, n_bytes, last_used: now });
    }

    pub(super) fn n_bytes(&self) -> u64 {
        self.entries.values().map(|e| e.n_bytes).sum()
    }

    /// Drops what was not used since `before`, oldest first, until at most `budget_bytes` are left.
    pub(super) fn evict(&mut self, before: u64, budget_bytes: u64) {
        let mut total = self.n_bytes();
        while total > budget_bytes {
            let oldest = self.entries.iter().filter(|(_, e)| e.last_used < before).min_by_key(|(_, e)| e.last_used);
            let Some((key, n_bytes)) = oldest.map(|(k, e)| (k.clone(), e.n_bytes)) else { return };
            self.entries.remove(&key);
            total -= n_bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_unused_goes_first() {
        let mut cache = Cache::new();
        for key in 0..4u32 {
            cache.insert(key, key, 10, u64::from(key));
        }
        cache.find(&0, 9);
        cache.evict(3, 20);
        assert!(cache.find(&1, 9).is_none() && cache.find(&2, 9).is_none());
        assert!(cache.find(&0, 9).is_some() && cache.find(&3, 9).is_some());
        cache.evict(3, 0);
        assert_eq!(cache.n_bytes(), 20);
    }
}
