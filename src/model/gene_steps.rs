//! What steps on the genes of a section give besides values per spot: clusters, genes that vary over the section,
//! scores of gene sets, fractions of cell types, a map in the plane.

/// Clusters of spots, the largest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clustering {
    /// Spots in each.
    pub sizes: Vec<usize>,
    /// Modularity at the resolution.
    pub modularity: f64,
    /// Number of spots used.
    pub n_spots: usize,
}

/// Whether neighboring spots resemble each other, gene by gene.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpatialGenes {
    /// In the order of the table.
    pub genes: Vec<SpatialGene>,
    /// Number of spots used.
    pub n_spots: usize,
    /// Number of weights between them.
    pub n_edges: usize,
}

/// One gene.
#[derive(Clone, Debug, PartialEq)]
pub struct SpatialGene {
    /// The gene.
    pub gene: String,
    /// Missing where the gene has one value everywhere.
    pub numbers: Option<SpatialNumbers>,
}

/// Moran's I and Geary's C with their two-sided chances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpatialNumbers {
    /// Moran's I: value, z, p, q.
    pub moran: [f64; 4],
    /// Geary's C: value, z, p.
    pub geary: [f64; 3],
    /// Chances by permutation of both, where asked for.
    pub permuted: Option<[f64; 2]>,
}

/// Scores of gene sets at spots; the values are fields of the analysis, in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SetScores {
    /// One per set with a score.
    pub sets: Vec<SetScore>,
    /// Number of spots used.
    pub n_spots: usize,
}

/// One set over the section.
#[derive(Clone, Debug, PartialEq)]
pub struct SetScore {
    /// The set.
    pub set: String,
    /// Mean score of the spots that have one.
    pub mean: f64,
    /// Largest score.
    pub most: f64,
    /// Share of those spots with p below 0.05, not corrected.
    pub share: f64,
}

/// Fractions of cell types at spots; the values are fields of the analysis, in this order, the residual last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CellTypes {
    /// One per type.
    pub types: Vec<CellType>,
    /// Genes that table and signature share.
    pub n_genes: usize,
    /// Number of spots used.
    pub n_spots: usize,
}

/// One cell type over the section.
#[derive(Clone, Debug, PartialEq)]
pub struct CellType {
    /// The type.
    pub name: String,
    /// Mean fraction of the spots that have one.
    pub mean: f64,
    /// Largest fraction.
    pub most: f64,
}

/// A map of spots in the plane that keeps those with like genes together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpotMap {
    /// Numbers of the spots used.
    pub spots: Vec<u32>,
    /// Their places.
    pub places: Vec<[f32; 2]>,
    /// Epochs that were run.
    pub epochs: usize,
}
