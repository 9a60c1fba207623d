//! Operations on pixels and voxels.
