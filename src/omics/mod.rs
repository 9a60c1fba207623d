//! Counts to representation: normalization, variable genes, principal components.
