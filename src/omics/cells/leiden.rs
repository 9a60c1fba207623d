//! Clusters of a graph: the partition of greatest modularity that moving, refining and joining find.
//! Sources: V. A. Traag, L. Waltman, N. J. van Eck, Sci. Rep. 9 (2019) 5233; resolution as in J. Reichardt,
//! S. Bornholdt, Phys. Rev. E 74 (2006) 016110.

use crate::base::{Error, Progress, Result};
use crate::model::Graph;
use crate::stats::Stream;
use std::collections::VecDeque;

/// How random the refinement is: chances go with exp(gain / this).
const RANDOMNESS: f64 = 0.01;
/// Rounds at most.
const MOST_ROUNDS: usize = 10;

/// Settings of [`cluster`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClusterSettings {
    /// Larger gives more clusters.
    pub resolution: f64,
    /// Seed of the order in which nodes are looked at.
    pub seed: u64,
}

impl Default for ClusterSettings {
    /// Resolution 1.
    fn default() -> Self {
        Self { resolution: 1.0, seed: 0 }
    }
}

/// Clusters, the largest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Clusters {
    /// Cluster of each node.
    pub labels: Vec<u32>,
    /// Nodes of each.
    pub sizes: Vec<usize>,
    /// Modularity at the resolution.
    pub quality: f64,
}

/// A graph whose nodes may stand for several.
struct Net {
    edges: Vec<Vec<(u32, f64)>>,
    /// Weights of all edges of a node, with those inside it twice.
    strength: Vec<f64>,
}

/// Clusters by the Leiden algorithm. Edges are taken as undirected: both directions are added. Every cluster is
/// connected. Costs about ten passes over the edges; one thread, so the answer depends on the seed alone.
///
/// Errors: [`Error::Degenerate`] for a graph without nodes or with negative weights; [`Error::Parameter`] for a
/// resolution that is not above 0.
pub fn cluster(graph: &Graph, settings: &ClusterSettings, progress: &Progress) -> Result<Clusters> {
    if !settings.resolution.is_finite() || settings.resolution <= 0.0 {
        return Err(Error::parameter(format!("the resolution is {}; expected a number above 0", settings.resolution)));
    }
    if graph.n_nodes() == 0 || graph.parts().2.iter().any(|w| *w < 0.0) {
        return Err(Error::degenerate("clusters need a graph with nodes and weights that are not negative"));
    }
    let net = Net::of(graph);
    let total: f64 = net.strength.iter().sum();
    let n = graph.n_nodes();
    let mut labels: Vec<u32> = (0..n as u32).collect();
    if total > 0.0 {
        let per = settings.resolution / total;
        let mut random = Stream::new(settings.seed, 0);
        for round in 0..MOST_ROUNDS {
            progress.step(round as f64 / MOST_ROUNDS as f64, "finding clusters")?;
            let before = labels.clone();
            labels = one_round(&net, labels, per, &mut random, progress)?;
            if same_partition(&before, &labels) {
                break;
            }
        }
        labels = connected(&net, &labels);
    }
    let (labels, sizes) = by_size(&labels);
    let quality = if total > 0.0 { net.quality(&labels, settings.resolution, total) } else { 0.0 };
    Ok(Clusters { labels, sizes, quality })
}

/// Moves, refines and joins until nothing joins; the clusters of the nodes of `net`.
fn one_round(net: &Net, start: Vec<u32>, per: f64, random: &mut Stream, progress: &Progress) -> Result<Vec<u32>> {
    let n = net.strength.len();
    let mut node_of: Vec<u32> = (0..n as u32).collect();
    let mut labels = compact(&start);
    let mut joined: Option<Net> = None;
    loop {
        progress.step(0.5, "finding clusters")?;
        let current = joined.as_ref().unwrap_or(net);
        current.move_nodes(&mut labels, per, random);
        let labels_now = compact(&labels);
        let parts = current.refine(&labels_now, per, random);
        let parts = compact(&parts);
        let n_parts = parts.iter().max().map_or(0, |m| *m as usize + 1);
        let done = n_parts == current.strength.len();
        let mut of_part = vec![0; n_parts];
        parts.iter().zip(&labels_now).for_each(|(p, l)| of_part[*p as usize] = *l);
        node_of.iter_mut().for_each(|v| *v = parts[*v as usize]);
        if done {
            return Ok(node_of.iter().map(|p| of_part[*p as usize]).collect());
        }
        let next = current.join(&parts, n_parts);
        labels = of_part;
        joined = Some(next);
    }
}

impl Net {
    fn of(graph: &Graph) -> Self {
        let n = graph.n_nodes();
        let mut edges = vec![Vec::new(); n];
        for i in 0..n {
            let (targets, weights) = graph.edges(i);
            for (&j, &w) in targets.iter().zip(weights) {
                let half = 0.5 * f64::from(w);
                edges[i].push((j, half));
                edges[j as usize].push((i as u32, half));
            }
        }
        Self::merged(edges)
    }

    /// With one edge for each pair.
    fn merged(mut edges: Vec<Vec<(u32, f64)>>) -> Self {
        for list in &mut edges {
            list.sort_by_key(|e| e.0);
            list.dedup_by(|b, a| {
                let same = a.0 == b.0;
                a.1 += if same { b.1 } else { 0.0 };
                same
            });
        }
        let strength = edges.iter().map(|l| l.iter().map(|e| e.1).sum()).collect();
        Self { edges, strength }
    }

    /// Nodes go to the neighboring cluster with the greatest gain, until none wants to.
    fn move_nodes(&self, labels: &mut [u32], per: f64, random: &mut Stream) {
        let n = labels.len();
        let mut strength = vec![0.0; n];
        let mut size = vec![0u32; n];
        for (v, &c) in labels.iter().enumerate() {
            strength[c as usize] += self.strength[v];
            size[c as usize] += 1;
        }
        let mut free: Vec<u32> = (0..n as u32).filter(|c| size[*c as usize] == 0).collect();
        let mut queue: VecDeque<u32> = random.permutation(n).into_iter().map(|v| v as u32).collect();
        let mut waits = vec![true; n];
        let mut to = vec![0.0; n];
        let mut seen: Vec<u32> = Vec::new();
        while let Some(v) = queue.pop_front() {
            let v = v as usize;
            waits[v] = false;
            let (own, k) = (labels[v], self.strength[v]);
            strength[own as usize] -= k;
            for &(j, w) in self.edges[v].iter().filter(|e| e.0 as usize != v) {
                let c = labels[j as usize];
                if to[c as usize] == 0.0 {
                    seen.push(c);
                }
                to[c as usize] += w;
            }
            let gain = |c: u32| to[c as usize] - per * k * strength[c as usize];
            let mut best = (gain(own), own);
            for &c in &seen {
                let value = gain(c);
                if value > best.0 + 1e-12 * k {
                    best = (value, c);
                }
            }
            if let Some(empty) = free.last()
                && best.0 < 0.0
                && size[own as usize] > 1
            {
                best = (0.0, *empty);
            }
            seen.drain(..).for_each(|c| to[c as usize] = 0.0);
            strength[best.1 as usize] += k;
            if best.1 != own {
                size[own as usize] -= 1;
                if size[best.1 as usize] == 0 {
                    free.pop();
                }
                size[best.1 as usize] += 1;
                if size[own as usize] == 0 {
                    free.push(own);
                }
                labels[v] = best.1;
                for &(j, _) in &self.edges[v] {
                    if labels[j as usize] != best.1 && !waits[j as usize] {
                        waits[j as usize] = true;
                        queue.push_back(j);
                    }
                }
            }
        }
    }

    /// Parts of the clusters that are well connected: single nodes join parts of their cluster by chance.
    fn refine(&self, labels: &[u32], per: f64, random: &mut Stream) -> Vec<u32> {
        let n = labels.len();
        let n_clusters = labels.iter().max().map_or(0, |m| *m as usize + 1);
        let mut whole = vec![0.0; n_clusters];
        labels.iter().enumerate().for_each(|(v, c)| whole[*c as usize] += self.strength[v]);
        let inside = |v: usize| self.edges[v].iter().filter(move |e| e.0 as usize != v && labels[e.0 as usize] == labels[v]);
        let within: Vec<f64> = (0..n).map(|v| inside(v).map(|e| e.1).sum()).collect();
        let mut part: Vec<u32> = (0..n as u32).collect();
        let (mut strength, mut cut, mut is_single) = (self.strength.clone(), within.clone(), vec![true; n]);
        let mut to = vec![0.0; n];
        for v in random.permutation(n) {
            let (k, all) = (self.strength[v], whole[labels[v] as usize]);
            if !is_single[v] || within[v] < per * k * (all - k) {
                continue;
            }
            let mut seen: Vec<u32> = Vec::new();
            for &(j, w) in inside(v) {
                let p = part[j as usize];
                if to[p as usize] == 0.0 {
                    seen.push(p);
                }
                to[p as usize] += w;
            }
            let is_well = |p: u32| cut[p as usize] >= per * strength[p as usize] * (all - strength[p as usize]);
            let gains: Vec<(f64, u32)> = seen
                .iter()
                .filter(|p| is_well(**p))
                .map(|&p| (to[p as usize] - per * k * strength[p as usize], p))
                .filter(|g| g.0 > 0.0)
                .collect();
            if let Some(p) = choose(&gains, random) {
                let (own, w) = (part[v] as usize, to[p as usize]);
                strength[own] -= k;
                cut[p as usize] += within[v] - 2.0 * w;
                strength[p as usize] += k;
                is_single[p as usize] = false;
                is_single[v] = false;
                part[v] = p;
            }
            seen.into_iter().for_each(|p| to[p as usize] = 0.0);
        }
        part
    }

    /// Parts become nodes.
    fn join(&self, parts: &[u32], n_parts: usize) -> Self {
        let mut edges = vec![Vec::new(); n_parts];
        for (v, list) in self.edges.iter().enumerate() {
            edges[parts[v] as usize].extend(list.iter().map(|&(j, w)| (parts[j as usize], w)));
        }
        Self::merged(edges)
    }

    fn quality(&self, labels: &[u32], resolution: f64, total: f64) -> f64 {
        let mut strength = vec![0.0; labels.len()];
        let mut inside = 0.0;
        for (v, list) in self.edges.iter().enumerate() {
            strength[labels[v] as usize] += self.strength[v];
            inside += list.iter().filter(|e| labels[e.0 as usize] == labels[v]).map(|e| e.1).sum::<f64>();
        }
        inside / total - resolution * strength.iter().map(|s| (s / total) * (s / total)).sum::<f64>()
    }
}

/// One of the parts, with chances that go with the exponential of the gain.
fn choose(gains: &[(f64, u32)], random: &mut Stream) -> Option<u32> {
    let most = gains.iter().map(|g| g.0).fold(f64::NEG_INFINITY, f64::max);
    let chance: Vec<f64> = gains.iter().map(|g| ((g.0 - most) / RANDOMNESS).exp()).collect();
    let mut left = random.uniform() * chance.iter().sum::<f64>();
    for (c, g) in chance.iter().zip(gains) {
        left -= c;
        if left < 0.0 {
            return Some(g.1);
        }
    }
    gains.last().map(|g| g.1)
}

/// The same clusters numbered by their first node.
fn compact(labels: &[u32]) -> Vec<u32> {
    let mut new = vec![u32::MAX; labels.iter().max().map_or(0, |m| *m as usize + 1)];
    let mut next = 0;
    labels
        .iter()
        .map(|l| {
            let slot = &mut new[*l as usize];
            if *slot == u32::MAX {
                *slot = next;
                next += 1;
            }
            *slot
        })
        .collect()
}

fn same_partition(a: &[u32], b: &[u32]) -> bool {
    compact(a) == compact(b)
}

/// Clusters whose parts do not touch become several.
fn connected(net: &Net, labels: &[u32]) -> Vec<u32> {
    let mut out = vec![u32::MAX; labels.len()];
    let mut next = 0;
    for first in 0..labels.len() {
        if out[first] != u32::MAX {
            continue;
        }
        let mut stack = vec![first];
        out[first] = next;
        while let Some(v) = stack.pop() {
            for &(j, w) in &net.edges[v] {
                let j = j as usize;
                if w > 0.0 && out[j] == u32::MAX && labels[j] == labels[v] {
                    out[j] = next;
                    stack.push(j);
                }
            }
        }
        next += 1;
    }
    out
}

/// The largest first; of equal ones, the one with the smaller first node.
fn by_size(labels: &[u32]) -> (Vec<u32>, Vec<usize>) {
    let labels = compact(labels);
    let mut sizes = vec![0; labels.iter().max().map_or(0, |m| *m as usize + 1)];
    labels.iter().for_each(|l| sizes[*l as usize] += 1);
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|&a, &b| sizes[b].cmp(&sizes[a]).then(a.cmp(&b)));
    let mut place = vec![0; sizes.len()];
    order.iter().enumerate().for_each(|(new, old)| place[*old] = new as u32);
    (labels.iter().map(|l| place[*l as usize]).collect(), order.iter().map(|o| sizes[*o]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(n: usize, pairs: &[(u32, u32)]) -> Graph {
        let mut lists = vec![Vec::new(); n];
        for &(a, b) in pairs {
            lists[a as usize].push(b);
            lists[b as usize].push(a);
        }
        let mut offsets = vec![0];
        lists.iter().for_each(|l| offsets.push(offsets[offsets.len() - 1] + l.len()));
        let targets: Vec<u32> = lists.concat();
        let weights = vec![1.0; targets.len()];
        Graph::new(offsets, targets, weights).unwrap()
    }

    /// Rings of cliques fall apart into their cliques.
    #[test]
    fn cliques_are_found() {
        let (cliques, size) = (7, 5);
        let mut pairs = Vec::new();
        for c in 0..cliques {
            for a in 0..size {
                (0..a).for_each(|b| pairs.push((c * size + a, c * size + b)));
            }
            pairs.push((c * size, (c + 1) % cliques * size + 1));
        }
        let g = graph((cliques * size) as usize, &pairs);
        for seed in 0..5 {
            let found = cluster(&g, &ClusterSettings { resolution: 1.0, seed }, &Progress::none()).unwrap();
            assert_eq!(found.sizes, [5; 7]);
            assert!(found.labels.chunks_exact(5).all(|c| c.iter().all(|l| *l == c[0])));
            // 70 of 77 edges inside, each cluster 22 of 154 ends.
            assert!((found.quality - (70.0 / 77.0 - 7.0 * (22.0_f64 / 154.0).powi(2))).abs() < 1e-12);
        }
        let one = cluster(&g, &ClusterSettings { resolution: 1e-3, seed: 0 }, &Progress::none()).unwrap();
        assert_eq!(one.sizes, [35]);
    }

    #[test]
    fn odd_graphs_have_an_answer() {
        let alone = cluster(&graph(3, &[]), &ClusterSettings::default(), &Progress::none()).unwrap();
        assert_eq!(alone.sizes, [1, 1, 1]);
        let two =
            cluster(&graph(4, &[(0, 1), (2, 3)]), &ClusterSettings { resolution: 1e-9, seed: 0 }, &Progress::none()).unwrap();
        assert_eq!(two.sizes, [2, 2]);
        assert!(cluster(&graph(2, &[(0, 1)]), &ClusterSettings { resolution: 0.0, seed: 0 }, &Progress::none()).is_err());
        let negative = Graph::new(vec![0, 1], vec![0], vec![-1.0]).unwrap();
        assert!(cluster(&negative, &ClusterSettings::default(), &Progress::none()).is_err());
    }
}
