//! Spots on the device: positions and values in buffers of their own. Many points are first put into
//! the order of [`lod`](super::lod) on a thread; until then an even subsample is drawn.

use super::cache::Cache;
use super::gpu::Link;
use super::lod::{Ordered, Visible, prepare_points};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};

/// From here on, points are ordered and splatted.
pub(super) const MANY: usize = 50_000;
/// Points drawn while the order is being found.
const PREVIEW: usize = 40_000;

/// Positions and values on the device.
#[derive(Debug)]
pub(super) struct Points {
    sets: Cache<usize, Set>,
    values: Cache<(usize, bool), (Arc<[f32]>, wgpu::Buffer)>,
}

#[derive(Debug)]
struct Set {
    /// Keeps the address taken.
    source: Arc<[[f32; 2]]>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// In the given order.
    Few(wgpu::Buffer),
    /// Being ordered; meanwhile a preview.
    Waiting(Mutex<Receiver<Ordered>>, wgpu::Buffer, Arc<Ordered>),
    /// In drawing order.
    Many(wgpu::Buffer, Arc<Ordered>),
}

/// What is drawn of a set of points.
pub(super) struct PointBuffers {
    pub(super) positions: wgpu::Buffer,
    /// Drawing order; `None` is the given order.
    pub(super) ordered: Option<Arc<Ordered>>,
    /// The order is being found.
    pub(super) waiting: bool,
}

impl Points {
    pub(super) fn new() -> Self {
        Self { sets: Cache::new(), values: Cache::new() }
    }

    pub(super) fn n_bytes(&self) -> u64 {
        self.sets.n_bytes() + self.values.n_bytes()
    }

    pub(super) fn evict(&mut self, before: u64, budget_bytes: u64) {
        self.sets.evict(before, budget_bytes);
        self.values.evict(before, budget_bytes / 4);
    }

    /// The buffers of these positions; with `patient` the order is waited for.
    pub(super) fn positions(&mut self, link: &Link, source: &Arc<[[f32; 2]]>, patient: bool, now: u64) -> PointBuffers {
        let key = source.as_ptr() as usize;
        if self.sets.find(&key, now).is_none_or(|set| set.source.len() != source.len()) {
            let set = Set { source: Arc::clone(source), state: State::new(link, source) };
            self.sets.insert(key, set, source.len() as u64 * 8, now);
        }
        match self.sets.find(&key, now) {
            Some(set) => set.buffers(link, patient),
            None => PointBuffers { positions: upload(link, source), ordered: None, waiting: false },
        }
    }

    /// The buffer of these values in the order of the points.
    pub(super) fn values(&mut self, link: &Link, source: &Arc<[f32]>, points: &PointBuffers, now: u64) -> wgpu::Buffer {
        let key = (source.as_ptr() as usize, points.ordered.is_some() && !points.waiting);
        if let Some((_, buffer)) = self.values.find(&key, now) {
            return buffer.clone();
        }
        let usage = wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::STORAGE;
        let buffer = match &points.ordered {
            Some(ordered) => link.filled_buffer("values", usage, bytemuck::cast_slice(&ordered.values(source))),
            None => link.filled_buffer("values", usage, bytemuck::cast_slice(source)),
        };
        // The values of a preview are soon useless.
        if !points.waiting {
            self.values.insert(key, (Arc::clone(source), buffer.clone()), source.len() as u64 * 4, now);
        }
        buffer
    }
}

fn upload(link: &Link, positions: &[[f32; 2]]) -> wgpu::Buffer {
    let usage = wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::STORAGE;
    link.filled_buffer("positions", usage, bytemuck::cast_slice(positions))
}

impl State {
    fn new(link: &Link, source: &Arc<[[f32; 2]]>) -> Self {
        if source.len() < MANY {
            return Self::Few(upload(link, source));
        }
        let (send, receive) = channel();
        let positions = Arc::clone(source);
        std::thread::spawn(move || send.send(prepare_points(&positions)));
        let preview = Arc::new(preview(source));
        Self::Waiting(Mutex::new(receive), upload(link, &preview.positions), preview)
    }
}

/// Every n-th point.
fn preview(source: &[[f32; 2]]) -> Ordered {
    let step = source.len().div_ceil(PREVIEW).max(1);
    let some: Vec<[f32; 2]> = source.iter().step_by(step).copied().collect();
    let mut ordered = prepare_points(&some);
    ordered.order.iter_mut().for_each(|i| *i *= step as u32);
    ordered
}

impl Set {
    fn buffers(&mut self, link: &Link, patient: bool) -> PointBuffers {
        if let State::Waiting(receive, ..) = &self.state {
            let receive = receive.lock().unwrap_or_else(PoisonError::into_inner);
            let arrived = if patient { receive.recv().map_err(|_| TryRecvError::Disconnected) } else { receive.try_recv() };
            drop(receive);
            if let Ok(ordered) = arrived {
                self.state = State::Many(upload(link, &ordered.positions), Arc::new(ordered));
            }
        }
        match &self.state {
            State::Few(positions) => PointBuffers { positions: positions.clone(), ordered: None, waiting: false },
            State::Waiting(_, positions, ordered) => {
                PointBuffers { positions: positions.clone(), ordered: Some(Arc::clone(ordered)), waiting: true }
            }
            State::Many(positions, ordered) => {
                PointBuffers { positions: positions.clone(), ordered: Some(Arc::clone(ordered)), waiting: false }
            }
        }
    }
}

/// The runs of points that a pane shows.
pub(super) fn visible(points: &PointBuffers, n_points: usize, bounds: [[f32; 2]; 2], least_cell: f32) -> Visible {
    match &points.ordered {
        Some(ordered) => {
            let mut visible = ordered.visible(bounds, least_cell);
            if points.waiting {
                visible.n_total = n_points;
            }
            visible
        }
        None => Visible { runs: std::iter::once(0..n_points as u32).collect(), n_shown: n_points, n_total: n_points },
    }
}
