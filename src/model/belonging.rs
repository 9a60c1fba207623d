//! Which segmentation may be drawn on which image. Two patients lie at nearly the same place in a scanner, so that
//! boxes overlap says nothing; the voxel lattice does, and so does the input that both came from.

use super::{ElementId, Study};
use crate::space::{DMat3, DVec3, Grid};
use std::path::Path;

/// Why labels belong to an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belonging {
    /// The built-in case of one seed.
    SameCase,
    /// The voxels of both lie on one lattice: the labels were made on this image, or on a part or turn of it.
    SameLattice,
    /// Labels without an image of their own, from the same file or folder.
    SameInput,
    /// Labels without an image of their own, and no other image that they could mean.
    OnlyImage,
}

impl Belonging {
    /// In a few words, for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SameCase => "same built-in case",
            Self::SameLattice => "same voxel lattice",
            Self::SameInput => "same folder, no image of its own",
            Self::OnlyImage => "the only image at its place",
        }
    }
}

/// Farthest that a voxel of one lattice may lie from a voxel of the other, in voxels.
const TOLERANCE_VOXELS: f64 = 0.05;

/// Whether the voxel centers of two overlapping grids coincide, axes exchanged or turned around included. Grids
/// that are where the file format's defaults put them must also have one size, because then nobody said where.
#[must_use]
pub fn same_lattice(a: &Grid, b: &Grid) -> bool {
    let a_from_b = a.voxel_from_lps() * b.lps_from_voxel();
    let m = a_from_b.matrix3;
    let rounded = DMat3::from_cols(m.x_axis.round(), m.y_axis.round(), m.z_axis.round());
    let is_turn = (rounded.determinant().abs() - 1.0).abs() < 1e-9
        && rounded.to_cols_array().iter().all(|v| v.abs() <= 1.0)
        && rounded.to_cols_array().iter().filter(|v| **v != 0.0).count() == 3;
    let near = |p: DVec3| (p - p.round()).abs().max_element() <= TOLERANCE_VOXELS;
    let [nx, ny, nz] = b.size().map(|n| n as f64 - 1.0);
    let ends = [DVec3::ZERO, DVec3::new(nx, ny, nz), DVec3::new(nx, 0.0, 0.0), DVec3::new(0.0, ny, 0.0)];
    let placed = |g: &Grid| g.lps_from_voxel().translation != DVec3::ZERO;
    is_turn
        && ends.iter().all(|&p| near(a_from_b.transform_point3(p)))
        && boxes_meet(a, b)
        && (a.size() == b.size() || placed(a) || placed(b))
}

/// Whether the axis-parallel boxes around two grids share a point.
fn boxes_meet(a: &Grid, b: &Grid) -> bool {
    let ends = |g: &Grid| {
        let corners = g.corners_lps();
        (corners.into_iter().fold(DVec3::INFINITY, DVec3::min), corners.into_iter().fold(DVec3::NEG_INFINITY, DVec3::max))
    };
    let ((a_low, a_high), (b_low, b_high)) = (ends(a), ends(b));
    a_low.cmple(b_high).all() && b_low.cmple(a_high).all()
}

impl Study {
    /// Why a segmentation may be drawn on an image; `None` where it must not be. In this order: both are of one
    /// built-in case; their voxels lie on one lattice; else, for labels that lie on no open image's lattice and
    /// whose box meets the image's: both come from one file or folder, or this is the only such image.
    #[must_use]
    pub fn belonging(&self, labels: ElementId, image: ElementId) -> Option<Belonging> {
        let (map, volume) = (self.labels(labels)?, self.volume(image)?);
        let seed = |id| self.provenance.get(&id).and_then(|p| p.demo_seed);
        if let (Some(a), Some(b)) = (seed(labels), seed(image)) {
            return (a == b).then_some(Belonging::SameCase);
        }
        if same_lattice(&volume.grid, &map.grid) {
            return Some(Belonging::SameLattice);
        }
        if !boxes_meet(&volume.grid, &map.grid) || self.volumes().any(|(_, v)| same_lattice(&v.grid, &map.grid)) {
            return None;
        }
        let near: Vec<ElementId> = self.volumes().filter(|(_, v)| boxes_meet(&v.grid, &map.grid)).map(|(id, _)| id).collect();
        let same_input = |id: ElementId| self.share_input(labels, id);
        if near.iter().any(|&id| same_input(id)) {
            return same_input(image).then_some(Belonging::SameInput);
        }
        (near == [image]).then_some(Belonging::OnlyImage)
    }

    /// The segmentations that may be drawn on an image, in order of id.
    pub fn labels_on(&self, image: ElementId) -> impl Iterator<Item = (ElementId, &std::sync::Arc<super::LabelMap>)> {
        self.label_maps().filter(move |(id, _)| self.belonging(*id, image).is_some())
    }

    /// Whether two elements come from one file, one folder, or files of one folder.
    fn share_input(&self, a: ElementId, b: ElementId) -> bool {
        let path = |id| self.provenance.get(&id).and_then(|p| p.path.as_deref());
        let (Some(a), Some(b)) = (path(a), path(b)) else { return false };
        let folder = |p: &Path| p.parent().map(Path::to_path_buf).filter(|p| !p.as_os_str().is_empty());
        a == b || (folder(a).is_some() && folder(a) == folder(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Element, LabelMap, Provenance, Samples, Volume};
    use crate::space::DAffine3;
    use std::sync::Arc;

    fn grid(size: [usize; 3], origin: [f64; 3], turn: f64) -> Grid {
        let turned = DMat3::from_rotation_z(turn) * DMat3::from_diagonal(DVec3::new(1.4, 1.4, 8.0));
        Grid::new(size, DAffine3::from_mat3_translation(turned, DVec3::from_array(origin))).unwrap()
    }

    fn study(images: &[(Grid, &str)], labels: &[(Grid, &str)]) -> Study {
        let mut study = Study::default();
        let mut add = |element: Element, path: &str| {
            let id = ElementId(study.next_id);
            study.next_id += 1;
            study.elements.insert(id, element);
            study.provenance.insert(id, Provenance { path: Some(path.into()), ..Provenance::default() });
        };
        for (grid, path) in images {
            let phases = vec![Samples::U8(vec![0; grid.n_voxels()].into())];
            add(Element::Volume(Arc::new(Volume::new("v", *grid, phases).unwrap())), path);
        }
        for (grid, path) in labels {
            add(Element::Labels(Arc::new(LabelMap::new("l", *grid, vec![vec![0; grid.n_voxels()].into()]).unwrap())), path);
        }
        study
    }

    #[test]
    fn labels_stay_with_their_patient() {
        let (first, second) = (grid([8, 8, 3], [3.0, -20.0, 7.0], 0.1), grid([8, 8, 3], [5.3, -18.0, 4.0], 0.2));
        let s = study(&[(first, "d/a.nii"), (second, "d/b.nii")], &[(first, "d/a_gt.nii"), (second, "d/b_gt.nii")]);
        let on = |image| s.labels_on(ElementId(image)).map(|(id, _)| id.0).collect::<Vec<_>>();
        assert_eq!((on(0), on(1)), (vec![2], vec![3]), "boxes overlap and all lie in one folder");
    }

    #[test]
    fn a_part_or_a_turn_of_the_image_is_the_image() {
        let whole = grid([8, 8, 3], [3.0, -20.0, 7.0], 0.1);
        let at = whole.lps_from_voxel();
        let part = DAffine3::from_mat3_translation(at.matrix3, at.transform_point3(DVec3::new(2.0, 1.0, 1.0)));
        assert!(same_lattice(&whole, &Grid::new([4, 4, 2], part).unwrap()));
        let back = DMat3::from_cols(-at.matrix3.x_axis, at.matrix3.z_axis, at.matrix3.y_axis);
        let turned = DAffine3::from_mat3_translation(back, at.transform_point3(DVec3::new(7.0, 0.0, 0.0)));
        assert!(same_lattice(&whole, &Grid::new([8, 3, 8], turned).unwrap()));
        let shifted = DAffine3::from_mat3_translation(at.matrix3, at.transform_point3(DVec3::new(0.4, 0.0, 0.0)));
        assert!(!same_lattice(&whole, &Grid::new([8, 8, 3], shifted).unwrap()));
        let nowhere = |n| Grid::new([n, 4, 4], DAffine3::IDENTITY).unwrap();
        assert!(same_lattice(&nowhere(4), &nowhere(4)) && !same_lattice(&nowhere(4), &nowhere(5)));
    }

    #[test]
    fn labels_without_an_image_of_their_own() {
        let (image, other) = (grid([8, 8, 3], [3.0, -20.0, 7.0], 0.1), grid([8, 8, 3], [5.3, -18.0, 4.0], 0.2));
        let fine = grid([16, 16, 3], [3.1, -20.1, 7.0], 0.11);
        let alone = study(&[(image, "d/a.nii")], &[(fine, "e/fine.nii")]);
        assert_eq!(alone.belonging(ElementId(1), ElementId(0)), Some(Belonging::OnlyImage));
        let two = study(&[(image, "d/a.nii"), (other, "f/b.nii")], &[(fine, "e/fine.nii")]);
        assert!((0..2).all(|i| two.belonging(ElementId(2), ElementId(i)).is_none()), "it could mean either");
        let told = study(&[(image, "d/a.nii"), (other, "f/b.nii")], &[(fine, "f/fine.nii")]);
        assert_eq!(told.belonging(ElementId(2), ElementId(1)), Some(Belonging::SameInput));
        assert_eq!(told.belonging(ElementId(2), ElementId(0)), None);
    }
}
